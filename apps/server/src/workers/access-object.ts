/// <reference path="../../../../packages/platform/src/workers/cloudflare.d.ts" />

import { DurableObject } from "cloudflare:workers";
import type { AccessChange } from "@parley/core";
import { createBell } from "@parley/platform/workers";
import type { Bindings } from "./bindings.ts";
import { accessDuties } from "./duties.ts";
import type { EdgeNode } from "./edge-node.ts";
import { openObjectNode } from "./object-node.ts";
import { setupOf } from "./setup.ts";

export interface AccessMethods {
  /** What changed after a position, as soon as there is something; from now on without one. */
  poll(after: number | null, waitMs: number): Promise<AccessAnswer>;
}

export interface AccessAnswer {
  changes: AccessChange[];
  head: number;
  /** Something was missed: whoever asks trusts nothing that it has. */
  isGap: boolean;
}

const kept = 1_000;
/** Without anybody who listens, nothing is read. */
const idleMs = 30_000;

/** Reads the changes of rights for all who have something open. There are a few of these, not one a socket. */
export class AccessObject extends DurableObject<Bindings> implements AccessMethods {
  #changes: AccessChange[] = [];
  /** The number of the last change. It begins with the time: none is ever given twice. */
  #head = Date.now() * 1_000;
  #node: EdgeNode | undefined;
  readonly #bell = createBell();
  #idle: ReturnType<typeof setTimeout> | undefined;

  async poll(after: number | null, waitMs: number): Promise<AccessAnswer> {
    await this.#read();
    const first = this.#head - this.#changes.length;
    const isGap = after !== null && (after < first || after > this.#head);
    if (after === this.#head) await this.#bell.next(waitMs);
    const from = after === null || isGap ? this.#head : after;
    return { changes: this.#changes.slice(this.#changes.length - (this.#head - from)), head: this.#head, isGap };
  }

  async #read(): Promise<void> {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#rest(), idleMs);
    const setup = await setupOf(this.env);
    if (this.#node) return;
    const node = openObjectNode(this.ctx, this.env, setup);
    this.#node = node;
    node.services.access.onChange((change) => {
      this.#changes.push(change);
      this.#head++;
      if (this.#changes.length > kept * 2) this.#changes = this.#changes.slice(-kept);
      this.#bell.ring();
    });
    node.background.begin(accessDuties);
    await node.background.settled();
  }

  #rest(): void {
    const node = this.#node;
    this.#node = undefined;
    this.#changes = [];
    this.#head++;
    if (node) this.ctx.waitUntil(node.close());
  }
}
