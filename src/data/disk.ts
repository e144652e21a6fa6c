import { messageOf, UserError } from '../core/errors.ts';

/** Runs work that writes to disk: what the file system refuses becomes one sentence that names the path. */
export async function writingTo<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new UserError(`Cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}
