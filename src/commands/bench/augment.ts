import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { readSettings } from '../../config/settings.ts';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import { expected, UserError } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { listComparisons } from './augment/comparisons.ts';
import { ensureAlbumentations } from './augment/environment.ts';
import { writeBenchImages } from './augment/images.ts';
import { measureOurs, measureTheirs, type Rates } from './augment/measure.ts';
import { augmentReport, isReached, ratioOf } from './augment/report.ts';
import { describeMachine } from './peers/machine.ts';

/**
 * `npm run bench augment [rounds=3] [seconds=1]`: how many images at 512² a core augments in a second, here and by
 * albumentations: the list of the competition's kernels, and each step alone. Writes `reports/bench-augment.md`.
 */
export async function benchAugment({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const rounds = readWhole(values.rounds ?? '3', 'rounds');
  const seconds = readWhole(values.seconds ?? '1', 'seconds');
  const { cacheDir } = await readSettings(cwd);
  const python = await ensureAlbumentations(cacheDir, terminal, signal);
  const comparisons = listComparisons();
  const folder = await mkdtemp(join(tmpdir(), 'bench-augment-'));
  const [ours, theirs]: [Rates[], Rates[]] = [[], []];
  let versions = {};
  try {
    const images = await writeBenchImages(folder);
    for (let round = 1; round <= rounds; round++) {
      terminal.say(`round ${round} of ${rounds}: ${comparisons.length} lists here, then by albumentations`);
      ours.push(measureOurs(comparisons, images, seconds));
      signal.throwIfAborted();
      const measured = await measureTheirs(comparisons, images, { seconds, python, signal });
      theirs.push(measured.rates);
      versions = measured.versions;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const rows = comparisons.map(({ title, goal }, index) => {
    const [here, there] = [ours, theirs].map((all) => median(all.map((rates) => rates[index]!)));
    return { title, goal, ours: here!, theirs: there! };
  });
  const head = {
    command: ['npm run bench augment', ...Object.entries(values).map(([key, value]) => `${key}=${value}`)].join(' '),
    date: new Date().toISOString().slice(0, 10),
    machine: await describeMachine(),
    ...{ rounds, seconds, versions },
  };
  const path = resolve(cwd, 'reports/bench-augment.md');
  const report = augmentReport(head, rows);
  await writeFileAtomic(path, report);
  terminal.say(report);
  terminal.say(`${relative(cwd, path)} has the same.`);
  const shown = rows.map((row) => ({ ...row, ratio: ratioOf(row) }));
  return { json: { rows: shown, reached: isReached(rows), report: path } };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}

function readWhole(text: string, key: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new UserError(expected('a whole number from 1 to 999', key, text));
}
