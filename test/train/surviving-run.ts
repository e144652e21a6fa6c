import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJournal } from '../../src/tracking/journal.ts';

/** Everything that draws numbers or waits for something: of 8 batches an epoch the last 2 are a ragged group. */
const EXPERIMENT = `
name: survivor
data:
  root: data/phantom
  folds: folds/phantom.csv
  fold: 0
  phantom: { images: 40, seed: 3 }
  sampler: { positive_fraction: { from: 0.7, to: 0.4 } }
resolution: 32
model: { encoder: efficientnet-b0, dropout: 0.3, drop_connect: 0.2, norm_momentum: 0.9 }
loss: bce + dice
optimizer: { name: adam }
lr_schedule: { name: cosine, lr: 1.0e-3, warmup_updates: 1 }
batch_size: 4
accumulation_steps: 3
epochs: 2
swa: { from_epoch: 1, every_updates: 1 }
ema: { decay: 0.9 }
gradient_clip: 5
augment: [{ name: hflip }, { name: shift_scale_rotate }, { name: noise }]
validation_batch_size: 4
checkpoint_every: 1 update
keep_top_k: 2
deterministic: true
`;

/** How a command ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

/** A folder in which one experiment is run, killed and taken up; `start` of the same folder may not overlap. */
export interface Surviving {
  folder: string;
  /** Runs `npm run exp survivor.yml` with these words; `started` gives the process. */
  exp(
    words: string[],
    env?: Record<string, string>,
    started?: (child: ReturnType<typeof spawn>) => void,
  ): Promise<Ended>;
  /** The folders of all runs, oldest first. */
  runs(): Promise<string[]>;
  remove(): Promise<void>;
}

/** Such a folder in which nothing has run. */
export async function makeSurviving(): Promise<Surviving> {
  const folder = await mkdtemp(join(tmpdir(), 'surviving-'));
  await writeFile(join(folder, 'survivor.yml'), EXPERIMENT);
  const runsDir = join(folder, 'runs');
  const command: Surviving['exp'] = (words, env = {}, started = () => {}) => {
    const cli = new URL('../../src/cli.ts', import.meta.url).pathname;
    // Nobody listens on port 1.
    const tracking = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', PNEUMOTHORAX_RUNS: runsDir };
    const child = spawn(process.execPath, ['--import', 'tsx', cli, ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, INIT_CWD: folder, PNEUMOTHORAX_LOADER_WORKERS: '2', ...tracking, ...env },
    });
    const err: string[] = [];
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => err.push(chunk));
    started(child);
    return new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stderr: err.join('') }));
    });
  };
  return {
    folder,
    exp: (words, env, started) => command(['exp', 'survivor.yml', ...words], env, started),
    runs: async () => (await readdir(runsDir)).sort().map((name) => join(runsDir, name)),
    remove: async () => await rm(folder, { recursive: true, force: true }),
  };
}

/** Such a folder in which the experiment ran to its end once, and what came of that. */
export async function makeUndisturbed(): Promise<{ surviving: Surviving; undisturbed: Outcome }> {
  const surviving = await makeSurviving();
  const { code, stderr } = await surviving.exp([]);
  assert.equal(code, 0, stderr);
  return { surviving, undisturbed: await outcomeOf((await surviving.runs())[0]!) };
}

/** What must be the same however often a run was killed: each of its arrays and points, and which checkpoint is what. */
export interface Outcome {
  /** SHA-256 of every array file of every checkpoint that the run ended with. */
  checkpoints: Record<string, string>;
  index: string;
  /** Every point but those that tell of time, by key and step: `key@step`. */
  points: Record<string, unknown>;
  /** How often each point is there. */
  doubled: string[];
  pictures: Record<string, string>;
}

export async function outcomeOf(runDir: string): Promise<Outcome> {
  const checkpoints: Record<string, string> = {};
  const index = JSON.parse(await readFile(join(runDir, 'checkpoints/index.json'), 'utf8')) as Record<string, string>;
  // Which one was before the last one is a matter of when the run was stopped.
  const { previous: _, ...named } = index;
  for (const id of new Set(Object.values(named))) {
    for (const file of await readdir(join(runDir, 'checkpoints', id))) {
      if (file.endsWith('.safetensors'))
        checkpoints[`${id}/${file}`] = await digest(join(runDir, 'checkpoints', id, file));
    }
  }
  const points: Record<string, unknown> = {};
  const doubled: string[] = [];
  for (const entry of readJournal(join(runDir, 'journal.jsonl'))) {
    if (entry.type !== 'metrics') continue;
    for (const [key, value] of Object.entries(entry.values)) {
      if (key.startsWith('system/')) continue;
      const point = `${key}@${entry.step}`;
      if (point in points) doubled.push(point);
      points[point] = value;
    }
  }
  const pictures: Record<string, string> = {};
  for (const file of await readdir(join(runDir, 'overlays'))) {
    pictures[file] = await digest(join(runDir, 'overlays', file));
  }
  return { checkpoints, index: JSON.stringify(Object.entries(named).sort()), points, doubled, pictures };
}

async function digest(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

/** What has a process that trains meet a moment (see kill-at.mjs). */
export const momentOf = (moment: string) => ({ NODE_OPTIONS: PRELOADED, KILL_AT: moment });

const PRELOADED = `--import ${new URL('./kill-at.mjs', import.meta.url).href}`;

/**
 * Begins a run and kills it at each moment in turn (see kill-at.mjs), taking it up after each; every other time the process that
 * watches it dies with it. Returns what it ended with. Throws AssertionError where a moment never came.
 */
export async function survive(
  surviving: Surviving,
  moments: readonly string[],
  tracking: Record<string, string> = {},
): Promise<Outcome> {
  const known = new Set(await surviving.runs());
  for (const [index, moment] of moments.entries()) {
    const parent = String(index % 2 === 1);
    const env = { ...tracking, ...momentOf(moment), KILL_PARENT: parent };
    const { code, stderr } = await surviving.exp(index === 0 ? [] : ['resume=last'], env);
    assert.notEqual(code, 0, `${moment} never came: ${stderr}`);
    if (parent === 'false') assert.match(stderr, /SIGKILL|killed/i);
  }
  const { code, stderr } = await surviving.exp(['resume=last'], tracking);
  assert.equal(code, 0, stderr);
  const runs = (await surviving.runs()).filter((run) => !known.has(run));
  assert.equal(runs.length, 1, 'it is one run');
  return await outcomeOf(runs[0]!);
}
