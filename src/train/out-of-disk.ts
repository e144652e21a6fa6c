import { basename } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { readCheckpointIndex } from '../models/checkpoint.ts';

/** The disk did not take what a run writes. No line of the program is at fault: the sentence says it all. */
export class DiskError extends Error {
  override name = 'DiskError';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.stack = message;
  }
}

/** Of a system call that failed, as Node tells it. */
interface Refusal {
  code: string;
  syscall: string;
  path?: string;
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const REFUSED = new Set(['EROFS', 'EACCES', 'EPERM', 'EIO']);

/**
 * Any error as it is, or, where it says that the disk did not take what was written, as the sentence about it.
 * @param runDir of the run that ends with it; undefined where there is none yet
 */
export async function explainDisk(error: unknown, runDir: string | undefined): Promise<unknown> {
  const refusal = refusalOf(error);
  if (runDir === undefined || refusal === undefined || isElsewhere(refusal, runDir)) return error;
  const { code } = refusal;
  if (!FULL.has(code) && !REFUSED.has(code)) return error;
  const { last } = await readCheckpointIndex(runDir).catch(() => ({ last: undefined }));
  const whole = last === undefined ? 'There is no checkpoint yet.' : `The last checkpoint, ${last}, is whole.`;
  const remedy = FULL.has(code) ? 'Make room (`npm run gc dry_run=true` shows what can go)' : 'Make it writable';
  const next = `${remedy}, then go on with resume=${basename(runDir)}.`;
  return new DiskError(`Cannot write ${runDir}: ${messageOf(error)}. ${whole} ${next}`, error);
}

/** What the operating system refused, of an error or of what caused it. */
function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('syscall' in error && 'code' in error) return error as Error & Refusal;
  return refusalOf(error.cause);
}

/** Whether it was no writing of the run's; where a file was open already, no path is told. */
function isElsewhere({ syscall, path }: Refusal, runDir: string): boolean {
  return path === undefined ? syscall === 'read' : !path.startsWith(runDir);
}
