declare module "pino-roll" {
  import type { Writable } from "node:stream";

  export default function openRollingFile(options: {
    file: string;
    frequency?: "daily" | "hourly" | number;
    dateFormat?: string;
    extension?: string;
    size?: string;
    mkdir?: boolean;
    limit?: { count: number; removeOtherLogFiles?: boolean };
  }): Promise<Writable>;
}
