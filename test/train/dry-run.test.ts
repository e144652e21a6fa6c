import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Experiment, parseExperiment } from '../../src/config/experiment.ts';
import { readSettings } from '../../src/config/settings.ts';
import { openTerminal } from '../../src/core/terminal.ts';
import { dryRun, duration, foresee } from '../../src/train/dry-run.ts';

const YAML = `name: tiny
data: { root: data/none, folds: folds/none.csv, fold: 0, phantom: { images: 40 } }
resolution: 64
model: { encoder: efficientnet-b0, decoder: unet }
loss: { name: bce }
optimizer: { name: adam }
lr_schedule: { name: cosine, lr: 1.0e-3 }
batch_size: 2
epochs: 3
swa_epochs: 1
`;
const terminal = openTerminal(process.stderr);
let folder: string;
let experiment: Experiment;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dry-run-'));
  await writeFile(join(folder, 'tiny.yml'), YAML);
  experiment = await parseExperiment('tiny.yml', {}, folder);
});
after(() => rm(folder, { recursive: true }));

const context = async () => ({
  cwd: folder,
  settings: { ...(await readSettings(folder)), runsDir: join(folder, 'runs') },
  signal: new AbortController().signal,
  earlier: new Set<string>(),
});

test('a dry run measures a real step in a process of its own and leaves nothing behind', async () => {
  const result = await dryRun(experiment, await context(), terminal);
  assert.equal(result.name, 'tiny');
  assert.ok(result.parameters > 5e6, `${result.parameters} parameters`);
  assert.ok(result.peak_rss_bytes > 100e6 && result.estimated_bytes! > 100e6);
  assert.ok(result.step_ms > 0 && result.epoch_s > 0 && result.total_s > 3 * result.epoch_s);
  assert.ok(result.least_disk_bytes > 3 * 12 * result.parameters, 'three checkpoints of weights and two moments');
  assert.ok(!existsSync(join(folder, 'runs')) && !existsSync(join(folder, 'data')));
});

test('where memory does not do, the sentence says what to change', async () => {
  const before = process.env.TF_MKL_ALLOC_MAX_BYTES;
  process.env.TF_MKL_ALLOC_MAX_BYTES = '60000000';
  try {
    await assert.rejects(
      dryRun(experiment, await context(), terminal),
      /Expected memory for a step of batch_size 2 at 64² .* Lower batch_size/,
    );
  } finally {
    if (before === undefined) delete process.env.TF_MKL_ALLOC_MAX_BYTES;
    else process.env.TF_MKL_ALLOC_MAX_BYTES = before;
  }
});

test('epochs, validation and the refresh of averaged statistics make the whole time', () => {
  const measured = { device: 'cpu' as const, parameters: 1, estimated: 1, available: 1, peak: 1 };
  const checkpoint = { weights: 8, trained: 8, slots: 16 };
  const times = { recordMs: 1000, stepMs: 100, evaluateMs: 50 };
  const result = foresee(experiment, { train: 35, validation: 5 }, { ...measured, ...times, checkpoint }, 1e9);
  // 17 whole batches of 2, 3 validation batches; 3 epochs and one more for the average.
  assert.equal(result.epoch_s, (17 * 100 + 3 * 50) / 1000);
  assert.equal(result.total_s, (4 * (17 * 100 + 3 * 50) + 1000) / 1000);
  // Weights, two moments, and the average's sums in float64.
  assert.equal(result.checkpoint_bytes, 8 + 16 + 16);
  assert.equal(result.free_disk_bytes, 1e9);
});

for (const [seconds, text] of [
  [48, '48 s'],
  [290, '4.8 min'],
  [44_280, '12.3 h'],
] as const) {
  test(`${seconds} seconds are ${text}`, () => assert.equal(duration(seconds), text));
}
