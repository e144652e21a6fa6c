import { resolve } from 'node:path';

/** Where the user stands: npm moves to the project's folder and leaves the user's own in INIT_CWD. */
export function userFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.INIT_CWD ?? process.cwd();
}

/** The absolute path of one that the user typed, in a file or on the command line. */
export function resolvePath(path: string, cwd: string = userFolder()): string {
  return resolve(cwd, path);
}
