import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMlflowClient } from 'mlflow-js-client';
import { readEvents, type SweepEvent } from '../../src/jobs/sweep-events.ts';
import { readJournal } from '../../src/tracking/journal.ts';
import { readRun } from '../../src/tracking/runs.ts';

/** A network that learns next to nothing in seconds, the same to the bit each time. */
const EXPERIMENT = `
name: six
data: { root: data/phantom, folds: folds/phantom.csv, fold: 0, phantom: { images: 40, seed: 3 } }
resolution: 32
model: { encoder: efficientnet-b0, dropout: 0.3, norm_momentum: 0.9 }
loss: bce + dice
optimizer: { name: adam }
lr_schedule: { name: cosine, lr: 1.0e-3 }
batch_size: 4
epochs: 2
checkpoint_every: 1 update
deterministic: true
`;

const SWEEP = `
name: six
base: six.yml
grid: { lr_schedule.lr: [1.0e-3, 3.0e-4, 1.0e-4] }
seeds: [1, 2]
`;

/** How a command ended; `json` is what `json=true` printed. */
export interface Ended {
  code: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: the tests read what they look for.
  json: any;
  stderr: string;
}

/** A folder with a phantom, in which one sweep of six units is run in this way or that. */
export interface SweepFolder {
  folder: string;
  runsDir: string;
  /** Runs a command of the harness here; `hear` gets all that it has said so far. */
  command(words: readonly string[], hear?: (said: string, child: ChildProcess) => void): Promise<Ended>;
  /** What is known of a sweep's units by its events. */
  events(sweep: string): SweepEvent[];
  remove(): Promise<void>;
}

export async function makeSweepFolder(environment: Record<string, string>): Promise<SweepFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'sweep-'));
  await writeFile(join(folder, 'six.yml'), EXPERIMENT);
  await writeFile(join(folder, 'six-sweep.yml'), SWEEP);
  const runsDir = join(folder, 'runs');
  const cli = new URL('../../src/cli.ts', import.meta.url).pathname;
  const command: SweepFolder['command'] = (words, hear = () => {}) => {
    const env = { ...process.env, PNEUMOTHORAX_LOADER_WORKERS: '1', ...environment, INIT_CWD: folder };
    const child = spawn(process.execPath, ['--import', 'tsx', cli, ...words, 'json=true'], { env });
    let [out, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      hear(stderr, child);
    });
    return new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, json: out === '' ? undefined : JSON.parse(out), stderr }));
    });
  };
  const events = (sweep: string) => readEvents(join(runsDir, sweep, 'events.jsonl')).events;
  return {
    folder,
    runsDir,
    command,
    events,
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** By unit: the digest of the weights that its run came to, and their Dice. */
export function figuresOf({ runsDir }: SweepFolder, sweep: string): Record<string, [sha256: string, dice: number]> {
  const units = readdirSync(runsDir).filter((name) => name.startsWith(`${sweep}-`));
  return Object.fromEntries(
    units.sort().map((id) => {
      const { record, status } = readRun(runsDir, id)!;
      assert.equal(status, 'FINISHED', id);
      return [id.slice(sweep.length + 1), [record.tags['checkpoint.sha256']!, record.chosen!['val/dice']!]];
    }),
  );
}

/** MLflow has one parent with six children, and of each all that its journal has, once. */
export async function assertInMlflow({ runsDir }: SweepFolder, sweep: string, uri: string): Promise<void> {
  const client = createMlflowClient({ trackingUri: uri });
  const experiment = await client.getExperimentByName('siim-pneumothorax');
  const runs = await client.searchRuns({ experimentIds: [experiment!.experiment_id] });
  const tagOf = (run: (typeof runs)[number], key: string) => run.data.tags.find((tag) => tag.key === key)?.value;
  const own = runs.filter((run) => tagOf(run, 'harness.run_id')?.startsWith(sweep));
  const parents = own.filter((run) => tagOf(run, 'harness.run_id') === sweep);
  assert.equal(parents.length, 1, 'one parent');
  const children = own.filter((run) => tagOf(run, 'mlflow.parentRunId') === parents[0]!.info.run_id);
  assert.equal(children.length, 6, 'six children');
  assert.equal(own.length, 7, 'and nothing else');
  for (const run of own) {
    const id = tagOf(run, 'harness.run_id')!;
    assert.equal(run.info.status, 'FINISHED', id);
    const entries = readJournal(join(runsDir, id, 'journal.jsonl'));
    const points = entries.flatMap((entry) =>
      entry.type === 'metrics' ? Object.keys(entry.values).map((key) => `${key} ${entry.step}`) : [],
    );
    assert.equal(new Set(points).size, points.length, 'each point is logged once');
    const keys = [...new Set(points.map((point) => point.split(' ')[0]!))];
    const there: string[] = [];
    for (const key of keys) {
      const history = await client.getMetricHistory(run.info.run_id, key);
      there.push(...history.map(({ step }) => `${key} ${step}`));
    }
    assert.deepEqual(there.sort(), points.sort(), id);
  }
}

/** The processes whose command line has all of these words, by id. */
export function processesOf(...words: string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return words.every((word) => line.includes(word));
      } catch {
        return false;
      }
    })
    .map(Number);
}
