import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../core/atomic-file.ts';
import type { Terminal } from '../core/terminal.ts';
import { writingTo } from './disk.ts';
import { readSource } from './source-bytes.ts';

/**
 * Copies the competition's tables (label files and samples) that lie in an archive or a deeper folder to the data root,
 * where everything else looks for them; a table that is there already stays. Says which came from where.
 * Throws UserError where one cannot be read or the disk refuses.
 * @param tables the file of each by its name, relative to the root.
 */
export async function bringTables(
  root: string,
  tables: ReadonlyMap<string, string>,
  terminal: Terminal,
): Promise<void> {
  for (const [name, file] of tables) {
    const path = join(root, name);
    if (file === name || (await isThere(path))) continue;
    const bytes = await readSource(join(root, file), file);
    await writingTo(path, () => writeFileAtomic(path, bytes));
    terminal.say(`${name} taken from ${file}`);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
