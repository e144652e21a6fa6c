import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { readSettings } from '../../config/settings.ts';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { readWhole } from '../values.ts';
import { type Comparison, listComparisons } from './augment/comparisons.ts';
import { ensureAlbumentations } from './augment/environment.ts';
import { writeBenchImages } from './augment/images.ts';
import { type BenchImages, openOurs, openTheirs } from './augment/measure.ts';
import { type AugmentRow, augmentReport, isReached, ratioOf } from './augment/report.ts';
import { describeMachine } from './peers/machine.ts';

/**
 * `npm run bench augment [rounds=3] [seconds=1]`: how many images at 512² a core augments in a second, here and by
 * albumentations: the list of the competition's kernels, and each step alone. Writes `reports/bench-augment.md`.
 */
export async function benchAugment({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const rounds = readWhole('rounds', values.rounds ?? '3');
  const seconds = readWhole('seconds', values.seconds ?? '1');
  const { cacheDir } = await readSettings(cwd);
  const python = await ensureAlbumentations(cacheDir, terminal, signal);
  const comparisons = listComparisons();
  const folder = await mkdtemp(join(tmpdir(), 'bench-augment-'));
  let measured: { rows: AugmentRow[]; versions: Record<string, string> };
  try {
    const images = await writeBenchImages(folder);
    measured = await compare(comparisons, images, { rounds, seconds, python, signal }, terminal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { rows, versions } = measured;
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

/** Ours and theirs take turns of some seconds, so that what else the machine does falls on both; all turns count alike. */
async function compare(
  comparisons: readonly Comparison[],
  images: BenchImages,
  { rounds, seconds, python, signal }: { rounds: number; seconds: number; python: string; signal: AbortSignal },
  terminal: Terminal,
): Promise<{ rows: AugmentRow[]; versions: Record<string, string> }> {
  const here = openOurs(comparisons, images);
  const there = await openTheirs(comparisons, images, { python, signal });
  const sums = comparisons.map(() => [here, there].map(() => ({ images: 0, seconds: 0 })));
  const warmUp = [...comparisons.keys()];
  const round = comparisons.flatMap(({ turns }, index) => Array.from({ length: turns }, () => index));
  const plan = [...warmUp, ...Array.from({ length: rounds }, () => round).flat()];
  const progress = terminal.progress('turns', plan.length);
  try {
    for (const [place, index] of plan.entries()) {
      for (const [side, contender] of [here, there].entries()) {
        signal.throwIfAborted();
        const { images, seconds: taken } = await contender.measure(index, seconds);
        // The first turn of each warms compilers and caches up.
        if (place < warmUp.length) continue;
        const sum = sums[index]![side]!;
        sum.images += images;
        sum.seconds += taken;
      }
      progress.advance();
    }
  } finally {
    progress.stop();
    await there.close();
  }
  const rows = comparisons.map(({ title, goal }, index) => {
    const [ours, theirs] = sums[index]!.map((sum) => sum.images / sum.seconds);
    return { title, goal, ours: ours!, theirs: theirs! };
  });
  return { rows, versions: there.versions };
}
