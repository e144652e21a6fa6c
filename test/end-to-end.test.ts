import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJournal } from '../src/tracking/journal.ts';

/** One way through everything, as a user types it, on a small synthetic competition; MLflow is absent throughout. */
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'end-to-end-'));
  await writeFile(join(folder, 'small.yml'), EXPERIMENT);
  await writeFile(join(folder, 'submission.yml'), SUBMISSION);
});
after(async () => await rm(folder, { recursive: true }));

const EXPERIMENT = `
name: small
data: { root: data/phantom, folds: folds/phantom.csv, fold: 0, phantom: { images: 24, seed: 3 } }
resolution: 32
model: { encoder: efficientnet-b0 }
loss: [{ name: bce }, { name: dice }]
optimizer: { name: adam }
lr_schedule: { name: cosine, lr: 1.0e-3 }
batch_size: 3
accumulation_steps: 2
epochs: 2
swa_epochs: 1
augment: [{ name: hflip }, { name: brightness_contrast }]
validation_batch_size: 4
`;

const SUBMISSION = `
name: small
members: [{ run: small, checkpoint: swa, weight: 1 }]
tta: [none, hflip]
postprocess: { threshold: 0.5, min_component_area: 100 }
`;

interface Ended {
  code: number | null;
  json: Record<string, never>;
  stderr: string;
}

function start(words: string[], env: Record<string, string> = {}) {
  const cli = new URL('../src/cli.ts', import.meta.url).pathname;
  // Nobody listens on port 1.
  const tracking = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', PNEUMOTHORAX_RUNS: join(folder, 'runs') };
  const child = spawn(process.execPath, ['--import', 'tsx', cli, ...words, 'json=true'], {
    env: { ...process.env, INIT_CWD: folder, ...tracking, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, stderr, json: stdout === '' ? {} : JSON.parse(stdout) }));
  });
  return { child, ended, seen: () => stderr };
}

const run = async (...words: string[]) => await start(words).ended;
const journalOf = (id: string) => readJournal(join(folder, 'runs', id, 'journal.jsonl'));
let first: { run_id: string; run_dir: string; status: string; metrics: Record<string, number>; mlflow_run_id?: string };

test('exp makes what is absent, trains, and says what came of it; an absent server does not stop it', async () => {
  const { code, json, stderr } = await run('exp', 'small.yml');
  assert.equal(code, 0, stderr);
  first = json as unknown as typeof first;
  assert.equal(first.status, 'FINISHED');
  assert.equal(first.mlflow_run_id, undefined);
  assert.match(stderr, /not in MLflow yet, the run goes on/);
  const keys = ['val/dice', 'val/dice_all_empty', 'val/dice_empty', 'val/dice_positive', 'val/iou', 'val/loss'];
  assert.deepEqual(Object.keys(first.metrics).sort(), keys);
});

test('the journal has every update and every epoch, and ends with the chosen figures', () => {
  const entries = journalOf(first.run_id);
  assert.deepEqual(
    [entries[0]!.type, entries.at(-1)],
    ['run', { type: 'end', status: 'FINISHED', time: entries.at(-1)!.time }],
  );
  const metrics = entries.filter((entry) => entry.type === 'metrics');
  const updates = metrics.filter(({ values }) => 'train/loss' in values).map(({ step }) => step);
  assert.deepEqual(
    updates,
    updates.map((_, i) => i + 1),
  );
  const mixtures = metrics.flatMap(({ values }) => values['train/positive_fraction'] ?? []);
  assert.equal(mixtures.length, 2);
  for (const share of mixtures) assert.ok(Number(share) > 0 && Number(share) < 1, `${share}`);
  const validations = metrics.filter(({ values }) => 'val/dice' in values);
  // Two epochs, the average, and once more the chosen one's: both of these at step epochs + 1.
  assert.deepEqual(
    validations.map(({ step }) => step),
    [1, 2, 3],
  );
  assert.equal(validations.at(-1)!.values['val/dice'], first.metrics['val/dice']);
});

test('checkpoints, configuration, probabilities and pictures are there, and nothing half-written', async () => {
  const files = (await readdir(first.run_dir, { recursive: true })).sort();
  for (const file of [
    'config.yml',
    'trained-on.json',
    'checkpoints/index.json',
    'checkpoints/swa/weights.safetensors',
    'checkpoints/swa/manifest.json',
  ]) {
    assert.ok(files.includes(file), file);
  }
  assert.ok(files.includes('predictions/swa-oof-none.probs'));
  assert.ok(files.includes('predictions/swa-oof-none.scores.json'));
  assert.deepEqual(
    files.filter((file) => file.includes('.tmp')),
    [],
  );
  const index = JSON.parse(await readFile(join(first.run_dir, 'checkpoints', 'index.json'), 'utf8'));
  assert.deepEqual(Object.keys(index).sort(), ['best-dice', 'best-iou', 'best-loss', 'last', 'previous', 'swa']);
});

test('stage=oof without TTA and post-processing scores what validation scored', async () => {
  const words = ['tta=[none]', 'postprocess.min_component_area=0', 'stamp=20190901-120000'];
  const { code, json, stderr } = await run('submit', 'submission.yml', 'stage=oof', ...words);
  assert.equal(code, 0, stderr);
  const { score } = json as unknown as { score: { dice: number; iou: number } };
  assert.ok(Math.abs(score.dice - first.metrics['val/dice']!) < 1e-9);
  assert.ok(Math.abs(score.iou - first.metrics['val/iou']!) < 1e-9);
});

test('tune finds settings on the stored probabilities, which a submission takes by reference', async () => {
  const tuned = await run('tune', 'submission.yml', 'tta=[none]', 'parts=2', 'steps=threshold,min_component_area');
  assert.equal(tuned.code, 0, tuned.stderr);
  const { report, page, optimistic } = tuned.json as unknown as { report: string; page: string; optimistic: number };
  assert.ok(existsSync(page));
  const words = ['tta=[none]', `postprocess={ from: ${report} }`, 'stamp=20190901-130000'];
  const { code, json, stderr } = await run('submit', 'submission.yml', 'stage=oof', ...words);
  assert.equal(code, 0, stderr);
  assert.ok(Math.abs((json as unknown as { score: { dice: number } }).score.dice - optimistic) < 1e-12);
});

test('both stages are built, and stage 1 is scored against the labels that stage 2 brings', async () => {
  for (const stage of ['1', '2']) {
    const { code, json, stderr } = await run('submit', 'submission.yml', `stage=${stage}`, 'stamp=20190901-120000');
    assert.equal(code, 0, stderr);
    const { csv, zip, rows } = json as unknown as { csv: string; zip: string; rows: number };
    assert.ok(existsSync(zip));
    assert.equal((await readFile(csv, 'utf8')).trimEnd().split('\n').length, rows + 1);
  }
  const csv = 'submissions/20190901-120000-small-stage1.csv';
  const { code, json } = await run('score', csv, 'truth=data/phantom/stage_2_train.csv');
  assert.equal(code, 0);
  assert.ok((json as unknown as { dice: number }).dice >= 0);
});

test('what was built is never overwritten', async () => {
  const { code, stderr } = await run('submit', 'submission.yml', 'stage=1', 'stamp=20190901-120000');
  assert.equal(code, 2);
  assert.match(stderr, /20190901-120000-small-stage1/);
});

test("a chain begins at another resolution with an earlier run's weights", async () => {
  const words = ['name=next', 'resolution=64', 'epochs=1', 'swa_epochs=1', 'init={from: small, checkpoint: swa}'];
  const { code, json, stderr } = await run('exp', 'small.yml', ...words);
  assert.equal(code, 0, stderr);
  const { status, run_id } = json as unknown as { status: string; run_id: string };
  assert.equal(status, 'FINISHED');
  const tags = Object.assign({}, ...journalOf(run_id).map((entry) => (entry.type === 'tags' ? entry.tags : {})));
  assert.equal(tags['init.run_id'], first.run_id);
  assert.equal(tags['validation.contaminated'], undefined);
});

test('the two models of a chain make a submission of each stage, twice the same, byte for byte', async () => {
  const members = '[{ run: small, checkpoint: swa }, { run: next, checkpoint: swa, weight: 2 }]';
  await writeFile(join(folder, 'two.yml'), `name: two\nmembers: ${members}\ntta: [none, hflip]\n`);
  for (const stage of ['1', '2']) {
    const build = async () => {
      const { code, json, stderr } = await run('submit', 'two.yml', `stage=${stage}`, 'stamp=20190902-120000');
      assert.equal(code, 0, stderr);
      const paths = ['csv', 'manifest', 'zip'].map((key) => String((json as Record<string, unknown>)[key]));
      const bytes = await Promise.all(paths.map((path) => readFile(path)));
      return { paths, bytes };
    };
    const first = await build();
    for (const path of first.paths) await rm(path);
    assert.deepEqual(await build(), first);
  }
  const csv = join(folder, 'submissions', '20190902-120000-two-stage1.csv');
  const text = await readFile(csv, 'utf8');
  await rm(csv);
  const { code, stderr } = await run('submit', csv.replace('.csv', '.manifest.json'), 'rebuild=true');
  assert.equal(code, 0, stderr);
  assert.equal(await readFile(csv, 'utf8'), text);
  const final = await run('final', '20190902-120000-two-stage2');
  assert.equal(final.code, 0, final.stderr);
  const { finals } = final.json as unknown as { finals: { stage1: string }[] };
  assert.equal(finals[0]!.stage1, '20190902-120000-two-stage1', 'the one of the same two networks, not that of one');
});

test('a run that validates on what its beginning was trained on is refused, and marked where that is allowed', async () => {
  // Everybody's fold changes; without its record the file counts as made by hand.
  const drawn = await readFile(join(folder, 'folds', 'phantom.csv'), 'utf8');
  const swapped = drawn.replace(/,(-1|0),/g, (_, fold) => (fold === '0' ? ',-1,' : ',0,'));
  await writeFile(join(folder, 'swapped.csv'), swapped);
  const runs = await readdir(join(folder, 'runs'));
  const words = ['name=flattered', 'data.folds=swapped.csv', 'batch_size=2', 'init={from: small, checkpoint: swa}'];
  const refused = await run('exp', 'small.yml', ...words);
  assert.equal(refused.code, 2, refused.stderr);
  const count = swapped.split('\n').filter((line) => line.includes(',0,')).length;
  assert.match(refused.stderr, new RegExp(`${count} of ${count} that they were.*allow_contaminated_validation: true`));
  assert.deepEqual(await readdir(join(folder, 'runs')), runs);
  const { code, json, stderr } = await run(
    'exp',
    'small.yml',
    ...words,
    'allow_contaminated_validation=true',
    'epochs=1',
  );
  assert.equal(code, 0, stderr);
  assert.match(stderr, /validation figures are flattered/);
  const { run_id } = json as unknown as { run_id: string };
  const tags = Object.assign({}, ...journalOf(run_id).map((entry) => (entry.type === 'tags' ? entry.tags : {})));
  assert.equal(tags['validation.contaminated'], String(count));
});

test('a folds file that was changed after it was drawn is refused', async () => {
  const drawn = await readFile(join(folder, 'folds', 'phantom.csv'), 'utf8');
  await writeFile(join(folder, 'folds', 'changed.csv'), drawn.replace(',0,', ',-1,'));
  await copyFile(join(folder, 'folds', 'phantom.csv.json'), join(folder, 'folds', 'changed.csv.json'));
  const { code, stderr } = await run('exp', 'small.yml', 'data.folds=folds/changed.csv');
  assert.equal(code, 2, stderr);
  assert.match(stderr, /changed\.csv was changed after it was drawn/);
});

test('SIGTERM saves, marks the run KILLED and ends with 143', async () => {
  const { child, ended, seen } = start(['exp', 'small.yml', 'name=long', 'epochs=1000']);
  while (!seen().includes('epoch 1/1000: val')) {
    assert.equal(child.exitCode, null, seen());
    await sleep(50);
  }
  child.kill('SIGTERM');
  const { code, json } = await ended;
  assert.equal(code, 143);
  const { run_id, status } = json as unknown as { run_id: string; status: string };
  assert.equal(status, 'KILLED');
  assert.equal(journalOf(run_id).at(-1)!.type, 'end');
  const index = JSON.parse(await readFile(join(folder, 'runs', run_id, 'checkpoints', 'index.json'), 'utf8'));
  assert.match(index.last, /^update-\d{6}$/);
});

const REFUSED: [string, string[], Record<string, string>, RegExp][] = [
  ['a run that is not there', ['init={from: nobody}'], {}, /"nobody"/],
  ['a checkpoint that no run has', ['init={from: small, checkpoint: average}'], {}, /init\.checkpoint/],
  [
    'a checkpoint that the run lacks',
    ['init={from: small, checkpoint: ema}'],
    {},
    /that the run has .* received "ema"/,
  ],
  ['a fold that is not drawn', ['data.fold=3'], {}, /fold/],
  ['a batch larger than the training set', ['batch_size=500'], {}, /at least one batch of 500 training images/],
  ['a place for runs that is no folder', [], { PNEUMOTHORAX_RUNS: 'small.yml/runs' }, /small\.yml\/runs/],
];

for (const [name, words, env, message] of REFUSED) {
  test(`refuses ${name}, and leaves no run`, async () => {
    await mkdir(join(folder, 'runs'), { recursive: true });
    const runs = await readdir(join(folder, 'runs'));
    const { code, stderr } = await start(['exp', 'small.yml', ...words], env).ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.deepEqual(await readdir(join(folder, 'runs')), runs);
  });
}
