import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256, writeFileAtomic } from '../../core/atomic-file.ts';
import { expected } from '../../core/errors.ts';
import type { Job } from '../executor.ts';

/**
 * Writes which job each task of an array is, beside the jobs' files, and says where: Slurm keeps that path as the array's comment,
 * and array-task.sh reads it. Its name holds its digest, so that no other array ever writes over it.
 */
export async function writeArray(jobs: readonly Job[]): Promise<string> {
  const text = jobs.map(({ id, file }) => `${id}\t${file}\n`).join('');
  const path = join(dirname(jobs[0]!.file), `array-${sha256(text).slice(0, 16)}.txt`);
  await writeFileAtomic(path, text);
  return path;
}

/** The ids of an array's jobs, by task. Throws Error where its comment is not such a file. */
export async function readArray(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    const next = 'A cluster that changes the comments of jobs takes that from them by which they are found again.';
    throw new Error(expected('a file that lists jobs', 'the comment of a job of Slurm’s', path, next), { cause });
  });
  const lines = text.trimEnd().split('\n');
  return lines.map((line) => line.slice(0, line.indexOf('\t')));
}

/** What a job prints and what Slurm says of it, beside its file; every start of it goes on in the same. */
export function slurmLog(file: string, handle: string): string {
  return join(dirname(file), `slurm-${handle}.log`);
}
