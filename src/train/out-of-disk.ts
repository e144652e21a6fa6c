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

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const REFUSED = new Set(['EROFS', 'EACCES', 'EPERM', 'EIO']);

/**
 * Any error as it is, or, where it says that the disk did not take what was written, as the sentence about it.
 * @param runDir of the run that ends with it; undefined where there is none yet
 */
export async function explainDisk(error: unknown, runDir: string | undefined): Promise<unknown> {
  const code = codeOf(error);
  if (runDir === undefined || code === undefined || !(FULL.has(code) || REFUSED.has(code))) return error;
  const { last } = await readCheckpointIndex(runDir).catch(() => ({ last: undefined }));
  const whole = last === undefined ? 'There is no checkpoint yet.' : `The last checkpoint, ${last}, is whole.`;
  const remedy = FULL.has(code) ? 'Make room (`npm run gc dry_run=true` shows what can go)' : 'Make it writable';
  const next = `${remedy}, then go on with resume=${basename(runDir)}.`;
  return new DiskError(`Cannot write ${runDir}: ${messageOf(error)}. ${whole} ${next}`, error);
}

/** What the operating system called the failure, of an error or of what caused it. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('syscall' in error && 'code' in error) return String(error.code);
  return codeOf(error.cause);
}
