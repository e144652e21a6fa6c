import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { asideOf, writeFileAtomic } from '../core/atomic-file.ts';

/** One attempt of a unit, as its file tells the process that makes it. */
export interface Attempt {
  /** The words after `npm run`: the command's name, files and `key=value`. */
  words: string[];
  /** Where the user stood. */
  cwd: string;
  /** A file of environment variables, which may hold a password. */
  environment: string;
}

/** How an attempt ended, in its own words. */
export interface AttemptEnd {
  /** The command's exit code. */
  code: number;
  /** What went wrong, where something did. */
  message?: string;
  host: string;
  /** Milliseconds since 1970. */
  started: number;
  ended: number;
}

/** The file beside an attempt's that holds what it prints. */
export function logOf(file: string): string {
  return file.replace(/\.json$/, '.log');
}

/** The file beside an attempt's in which it says how it ended. */
export function endOf(file: string): string {
  return file.replace(/\.json$/, '.end.json');
}

export async function writeAttempt(file: string, attempt: Attempt): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(attempt)}\n`);
}

/** Throws Error where there is none. */
export async function readAttempt(file: string): Promise<Attempt> {
  return JSON.parse(await readFile(file, 'utf8')) as Attempt;
}

/** At once, since it is what a process does last. */
export function writeEnd(file: string, end: AttemptEnd): void {
  const aside = asideOf(endOf(file));
  writeFileSync(aside, `${JSON.stringify(end)}\n`, { flush: true });
  renameSync(aside, endOf(file));
}

/** How an attempt ended; undefined while it goes on, and where it was killed before it could say so. */
export function readEnd(file: string): AttemptEnd | undefined {
  try {
    return JSON.parse(readFileSync(endOf(file), 'utf8')) as AttemptEnd;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
