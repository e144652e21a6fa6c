import { execa } from 'execa';
import { UserError } from '../core/errors.ts';

/**
 * Runs g++. Throws UserError where there is none, and where it fails an Error with what it said first.
 * @param what that is compiled, for the sentence: `the kernels`
 * @param signal ends it: throws what it was aborted with
 */
export async function compile(words: readonly string[], what: string, signal?: AbortSignal): Promise<void> {
  await checkCompiler();
  signal?.throwIfAborted();
  const cancel = signal === undefined ? {} : { cancelSignal: signal };
  const { failed, stderr } = await execa('g++', words, { reject: false, ...cancel });
  signal?.throwIfAborted();
  if (!failed) return;
  const said = String(stderr).split('\n').slice(0, 5).join('\n');
  throw new Error(`Expected g++ to compile ${what} but it failed:\n${said}`);
}

/** Throws UserError where there is no C++ compiler. */
export async function checkCompiler(): Promise<void> {
  const { failed } = await execa('g++', ['--version'], { reject: false });
  if (!failed) return;
  throw new UserError(
    'Expected a C++ compiler for the TensorFlow binding but `g++ --version` failed. ' +
      'Run `sudo apt-get install g++` (or your system’s equivalent).',
  );
}
