import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import path from "node:path";

interface Options {
  folder: string;
  name: string;
  /** How long a file is kept after its day. */
  days: number;
  mostBytes?: number;
  now?: () => Date;
}

const usualBytes = 20 * 1_024 * 1_024;
const dayMs = 24 * 60 * 60_000;

export interface DailyFile {
  /** Whole lines. It is in the system's hands before this returns, so that it survives the end of the process. */
  write(lines: string): void;
}

/**
 * `name.2026-11-21.1.log`, another one each day and whenever one is full, in local time. Several processes may write to the
 * same files. Throws when the folder cannot be written to; later, a full disk loses lines and nothing else.
 */
export function dailyFile({ folder, name, days, mostBytes = usualBytes, now = () => new Date() }: Options): DailyFile {
  mkdirSync(folder, { recursive: true });
  const form = new RegExp(`^${name}\\.(\\d{4}-\\d{2}-\\d{2})\\.(\\d+)\\.log$`);
  let current: { day: string; number: number; descriptor: number } | undefined;
  accessSync(folder, constants.W_OK);
  removeOld();

  function files(): { file: string; day: string; number: number }[] {
    return readdirSync(folder).flatMap((file) => {
      const [, day, number] = form.exec(file) ?? [];
      return day === undefined ? [] : [{ file: path.join(folder, file), day, number: Number(number) }];
    });
  }

  function open(day: string, length: number) {
    const numbers = files().flatMap((known) => (known.day === day ? [known.number] : []));
    let number = Math.max(1, ...numbers);
    const fileOf = (number: number) => path.join(folder, `${name}.${day}.${number}.log`);
    const size = statSync(fileOf(number), { throwIfNoEntry: false })?.size ?? 0;
    if (size > 0 && size + length > mostBytes) number++;
    const descriptor = openSync(fileOf(number), "a");
    if (current) closeSync(current.descriptor);
    current = { day, number, descriptor };
    removeOld();
  }

  function removeOld() {
    const oldest = dayOf(new Date(now().getTime() - days * dayMs));
    for (const { file, day } of files()) {
      if (day < oldest) rmSync(file, { force: true });
    }
  }

  return {
    write(lines) {
      try {
        const day = dayOf(now());
        const bytes = Buffer.from(lines);
        const isRoomy = current?.day === day && fstatSync(current.descriptor).size + bytes.length <= mostBytes;
        if (!isRoomy) open(day, bytes.length);
        if (current) writeSync(current.descriptor, bytes);
      } catch {
        // Nobody is left who could be told.
      }
    },
  };
}

function dayOf(moment: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}
