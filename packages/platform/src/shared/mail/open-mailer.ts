import type { Mailer } from "@parley/core/ports";

export interface OpenMailer extends Mailer {
  close(): Promise<void>;
}
