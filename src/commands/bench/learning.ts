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
import { type Arm, armExperiment, HOLDOUT, type LearningPlan, readLearningPlan } from './learning/plan.ts';
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
 * `npm run bench learning [seeds=1,2,3] [epochs=8,3] …`: the same network trained on a phantom here and in Keras, from the
 * same weights on the same batches, in two stages; SWA beside the last epoch; and positives sampled beside images as they come. A
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

/** First both sides from random weights at half of the resolution, then both from the average that ours came to. */
async function learnSeed(plan: LearningPlan, seed: number, bench: Bench, terminal: Terminal): Promise<SeedLearned> {
  const learn = (stage: Arm['stage'], by: Arm['by'], from: Partial<Kept> = {}, start?: string) =>
    learnOnce(plan, { stage, by }, seed, { start, rates: from.learned?.rates ?? [] }, bench, terminal);
  const first = await learn('first', 'ours');
  const second = await learn('second', 'ours', {}, first.weights);
  const kerasSecond = await learn('second', 'keras', second, first.weights);
  const kerasFirst = await learn('first', 'keras', first);
  const natural = await learn('first', 'natural');
  const averaged = await learn('averaged', 'ours', {}, first.weights);
  return {
    seed,
    first: { ours: first.learned, keras: kerasFirst.learned, natural: natural.learned },
    second: { ours: second.learned, keras: kerasSecond.learned },
    averaged: averaged.learned,
  };
}

/** A finished training. */
interface Kept {
  learned: Learned;
  /** safetensors of ours. */
  weights: string;
}

/** One training, or what was kept of it. Keras's takes the rates of ours. */
async function learnOnce(
  plan: LearningPlan,
  arm: Arm,
  seed: number,
  { start, rates }: { start: string | undefined; rates: number[] },
  { folder, cwd, cacheDir, signal, ...place }: Bench,
  terminal: Terminal,
): Promise<Kept> {
  const experiment = await armExperiment(plan, arm, seed, folder);
  const title = `seed ${seed}, ${experiment.resolution}², ${arm.by}${arm.stage === 'averaged' ? ', constant rate' : ''}`;
  const digest = sha256(formatConfig(experiment) + (start ?? '')).slice(0, 8);
  const path = join(folder, `${seed}-${experiment.resolution}-${arm.by}-${digest}`);
  const [kept, weights] = [`${path}.json`, `${path}.safetensors`];
  const work = async (): Promise<Kept> => {
    if (existsSync(kept)) {
      terminal.say(`${title}: trained before, taken from ${kept}`);
      return { learned: JSON.parse(await readFile(kept, 'utf8')) as Learned, weights };
    }
    terminal.say(`${title}: training`);
    await preparePhantom(experiment, { cwd, signal, holdout: HOLDOUT }, terminal);
    const data = await openData(experiment, { cwd, signal }, terminal);
    const where = { ...place, folder: path, start, signal };
    try {
      const learned =
        arm.by === 'keras'
          ? await trainKeras(experiment, data, { ...where, rates, python: await python() }, terminal)
          : await trainOurs(experiment, data, { ...where, keep: weights }, terminal);
      await writeFileAtomic(kept, `${JSON.stringify(learned)}\n`);
      return { learned, weights };
    } finally {
      data.dataset.close();
    }
  };
  const python = () => ensurePeerPython('keras', cacheDir, terminal, signal);
  const waiting = (who: string) => terminal.say(`${title}: being trained by ${who}; waiting`);
  return await withLock(`${kept}.lock`, work, waiting, signal);
}
