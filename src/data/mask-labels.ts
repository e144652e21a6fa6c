import { join } from 'node:path';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { CSV_COLUMNS } from '../core/competition.ts';
import type { Terminal } from '../core/terminal.ts';
import { mapInWorkers } from '../core/worker-pool.ts';
import { writingTo } from './disk.ts';
import type { MaskCode, MaskTask } from './mask-worker.ts';

/** The label file that ingest makes of mask pictures. */
export const MASK_LABELS = 'masks-rle.csv';

/**
 * Reads the mask pictures of a data root on all cores and writes `<root>/masks-rle.csv`, a label file of the
 * competition's form with a row for each, in one step. Gives the masks that cannot be read, with the reason, by image id.
 * Throws UserError where the disk refuses.
 */
export async function writeMaskLabels(
  root: string,
  masks: ReadonlyMap<string, string>,
  options: { workers?: number; signal?: AbortSignal },
  terminal: Terminal,
): Promise<Map<string, string>> {
  const ids = [...masks.keys()].sort();
  const tasks = ids.map((id): MaskTask => ({ path: join(root, masks.get(id)!), file: masks.get(id)! }));
  const progress = terminal.progress('reading mask pictures', tasks.length);
  let codes: MaskCode[];
  try {
    codes = await mapInWorkers<MaskTask, MaskCode>(new URL('./mask-worker.ts', import.meta.url), {}, tasks, {
      ...options,
      onResult: () => progress.advance(),
    });
  } finally {
    progress.stop();
  }
  const refused = new Map<string, string>();
  const lines: string[] = [];
  for (const [index, code] of codes.entries()) {
    if ('rle' in code) lines.push(`${ids[index]!},${code.rle}`);
    else refused.set(ids[index]!, code.refused);
  }
  const path = join(root, MASK_LABELS);
  await writingTo(path, () => writeFileAtomic(path, `${[CSV_COLUMNS.join(','), ...lines].join('\n')}\n`));
  return refused;
}
