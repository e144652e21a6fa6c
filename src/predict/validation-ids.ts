import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, UserError } from '../core/errors.ts';

/** Which images a run was validated on, one id a line: a folds file may change its content, what was trained on not. */
const VALIDATION_IDS = 'validation-ids.txt';

/** Keeps the ids beside the run. */
export async function writeValidationIds(runDir: string, ids: readonly string[]): Promise<void> {
  await writeFileAtomic(join(runDir, VALIDATION_IDS), `${ids.join('\n')}\n`);
}

/** Throws UserError where the ids are not those that the run was validated on: it has trained on some of them. */
export async function checkValidationIds(runDir: string, ids: readonly string[]): Promise<void> {
  const own = new Set((await readFile(join(runDir, VALIDATION_IDS), 'utf8')).trim().split('\n'));
  const others = ids.filter((id) => !own.has(id)).length;
  if (others === 0 && own.size === ids.length) return;
  const what = `the ${own.size} images that the run was validated on`;
  const next = 'Its folds file or its data are not what they were.';
  throw new UserError(expected(what, runDir, `${ids.length} images, ${others} of them others`, next));
}
