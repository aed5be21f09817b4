import type { CoolDowns } from "@parley/core";

/** Of what several have found out about a key, the longest rest counts. What is over is left out. */
export function addCoolDowns(known: CoolDowns, more: CoolDowns): void {
  for (const [provider, coolDowns] of more) {
    const longest = new Map((known.get(provider) ?? []).map((coolDown) => [keyOf(coolDown), coolDown]));
    for (const coolDown of coolDowns) {
      const before = longest.get(keyOf(coolDown));
      if (!before || before.until < coolDown.until) longest.set(keyOf(coolDown), coolDown);
    }
    known.set(
      provider,
      Array.from(longest.values()).filter(({ until }) => until > Date.now()),
    );
  }
}

const keyOf = ({ key, model }: { key: number; model: string | null }) => `${key} ${model ?? ""}`;
