import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';

/** A file system of its own in a folder, as small as is wanted. */
export interface SmallDisk {
  resize(bytes: number): void;
  readOnly(on: boolean): void;
  unmount(): void;
}

/** Mounts one (tmpfs) at a folder that it makes; a sentence where this user may not. */
export async function mountDisk(folder: string, bytes: number): Promise<SmallDisk | string> {
  await mkdir(folder, { recursive: true });
  const refused = call('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
  if (refused !== undefined) return `no disk can be mounted here: ${refused}`;
  const remount = (option: string) => {
    const failed = call('mount', ['-o', `remount,${option}`, folder]);
    if (failed !== undefined) throw new Error(failed);
  };
  return {
    resize: (size) => remount(`size=${size}`),
    readOnly: (on) => remount(on ? 'ro' : 'rw'),
    unmount: () => void call('umount', ['--lazy', folder]),
  };
}

/** What the command complained of; undefined where it did what it should. */
function call(command: string, words: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, words, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}
