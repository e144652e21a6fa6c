import { execa } from 'execa';
import { UserError } from '../core/errors.ts';

/** Throws UserError where there is no C++ compiler. */
export async function checkCompiler(): Promise<void> {
  const { failed } = await execa('g++', ['--version'], { reject: false });
  if (!failed) return;
  throw new UserError(
    'Expected a C++ compiler for the TensorFlow binding but `g++ --version` failed. ' +
      'Run `sudo apt-get install g++` (or your system’s equivalent).',
  );
}
