import { statfs } from 'node:fs/promises';
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

/** Whether a folder's file system has so many bytes free. */
export async function hasRoom(folder: string, bytes: number): Promise<boolean> {
  return (await freeBytes(folder)) >= bytes;
}

/** How many bytes a folder's file system has free for this user. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
