import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { readSettings } from '../../config/settings.ts';
import { formatConfig } from '../../config/show-config.ts';
import { sha256, writeFileAtomic } from '../../core/atomic-file.ts';
import { withLock } from '../../core/lock.ts';
import type { Terminal } from '../../core/terminal.ts';
import { loadEngine } from '../../engine/load.ts';
import { openData } from '../../train/open-data.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { preparePhantom } from '../prepare-phantom.ts';
import { type Learned, learningGoals, type SeedLearned } from './learning/figures.ts';
import { ARMS, type Arm, armExperiment, HOLDOUT, type LearningPlan, readLearningPlan } from './learning/plan.ts';
import { learningReport } from './learning/report.ts';
import { trainKeras } from './learning/train-keras.ts';
import { trainOurs } from './learning/train-ours.ts';
import { ensurePeerPython } from './peers/environments.ts';
import { describeMachine } from './peers/machine.ts';

/** What the trainings share. */
interface Bench {
  /** Phantom and finished trainings, kept. */
  folder: string;
  cwd: string;
  workers: number | undefined;
  cacheDir: string;
  tensorflow: string;
  signal: AbortSignal;
}

/**
 * `npm run bench learning [seeds=1,2,3] [epochs=6] …`: the same network trained on a phantom here and in Keras, from the
 * same weights on the same batches; SWA beside the last epoch; and positives sampled beside images as they come. A
 * finished training is kept and not done again. Writes `reports/bench-learning.md`.
 */
export async function benchLearning({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const plan = readLearningPlan(values);
  const { cacheDir, loaderWorkers: workers } = await readSettings(cwd);
  // Children inherit what this sets: they see no GPU either.
  const { tensorflow } = await loadEngine({ device: 'cpu', cacheDir, deterministic: false, signal }, terminal);
  const bench = { folder: join(cacheDir, 'bench-learning'), cwd, workers, cacheDir, tensorflow, signal };
  const seeds: SeedLearned[] = [];
  for (const seed of plan.seeds) seeds.push(await learnSeed(plan, seed, bench, terminal));
  const head = {
    command: ['npm run bench learning', ...Object.entries(values).map(([key, value]) => `${key}=${value}`)].join(' '),
    date: new Date().toISOString().slice(0, 10),
    machine: await describeMachine(),
    plan,
  };
  const path = resolve(cwd, 'reports/bench-learning.md');
  const report = learningReport(head, seeds);
  await writeFileAtomic(path, report);
  terminal.say(report);
  terminal.say(`${relative(cwd, path)} has the same.`);
  return { json: { seeds, goals: learningGoals(seeds), report: path } };
}

async function learnSeed(plan: LearningPlan, seed: number, bench: Bench, terminal: Terminal): Promise<SeedLearned> {
  const learned = {} as Record<Arm, Learned>;
  for (const arm of ARMS) learned[arm] = await learnOnce(plan, arm, seed, learned.ours?.rates ?? [], bench, terminal);
  return { seed, ...learned };
}

/** One training, or what was kept of it. Keras's takes the rates of ours. */
async function learnOnce(
  plan: LearningPlan,
  arm: Arm,
  seed: number,
  rates: number[],
  { folder, cwd, cacheDir, signal, ...place }: Bench,
  terminal: Terminal,
): Promise<Learned> {
  const experiment = await armExperiment(plan, arm, seed, folder);
  const title = `${arm}, seed ${seed}`;
  const kept = join(folder, `${arm}-${seed}-${sha256(formatConfig(experiment)).slice(0, 8)}.json`);
  const work = async () => {
    if (existsSync(kept)) {
      terminal.say(`${title}: trained before, taken from ${kept}`);
      return JSON.parse(await readFile(kept, 'utf8')) as Learned;
    }
    terminal.say(`${title}: training`);
    await preparePhantom(experiment, { cwd, signal, holdout: HOLDOUT }, terminal);
    const data = await openData(experiment, { cwd, signal }, terminal);
    try {
      const where = { ...place, signal, folder: kept.replace(/\.json$/, '') };
      const learned =
        arm === 'keras'
          ? await trainKeras(
              experiment,
              data,
              { ...where, rates, python: await ensurePeerPython('keras', cacheDir, terminal, signal) },
              terminal,
            )
          : await trainOurs(experiment, data, where, terminal);
      await writeFileAtomic(kept, `${JSON.stringify(learned)}\n`);
      return learned;
    } finally {
      data.dataset.close();
    }
  };
  const waiting = (who: string) => terminal.say(`${title}: being trained by ${who}; waiting`);
  return await withLock(`${kept}.lock`, work, waiting, signal);
}
