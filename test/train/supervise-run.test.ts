import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findCheckpoint, readCheckpoint } from '../../src/models/checkpoint.ts';
import { readJournal } from '../../src/tracking/journal.ts';

const YAML = `name: tiny
data: { root: data/phantom, folds: folds/phantom.csv, fold: 0, phantom: { images: 24, seed: 3 } }
resolution: 64
model: { encoder: efficientnet-b0 }
loss: { name: bce }
optimizer: { name: adam }
lr_schedule: { name: cosine, lr: 1.0e-3 }
batch_size: 4
epochs: 1000
`;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supervise-run-'));
  await writeFile(join(folder, 'tiny.yml'), YAML);
});
after(() => rm(folder, { recursive: true }));

function start(words: string[], env: Record<string, string> = {}) {
  const cli = new URL('../../src/cli.ts', import.meta.url).pathname;
  // Nobody listens on port 1.
  const settings = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', PNEUMOTHORAX_RUNS: join(folder, 'runs') };
  const child = spawn(process.execPath, ['--import', 'tsx', cli, 'exp', 'tiny.yml', ...words, 'json=true'], {
    env: { ...process.env, INIT_CWD: folder, ...settings, ...env },
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      said[name] += chunk;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, ended, said };
}

async function onlyRun(): Promise<string> {
  const runs = (await readdir(join(folder, 'runs'))).filter((name) => name.endsWith('-tiny'));
  assert.equal(runs.length, 1);
  return join(folder, 'runs', runs[0]!);
}

test('a run whose process is killed ends as FAILED, says why it may have been, and its last checkpoint is whole', async () => {
  const { child, ended, said } = start([]);
  while (!said.stderr.includes('epoch 1/1000: val')) {
    assert.equal(child.exitCode, null, said.stderr);
    await sleep(50);
  }
  const trainer = Number(
    (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim().split(' ').at(-1),
  );
  process.kill(trainer, 'SIGKILL');
  assert.equal(await ended, 1, said.stderr);
  const runDir = await onlyRun();
  const { error } = JSON.parse(said.stdout) as { error: { message: string } };
  assert.match(error.message, /^Expected memory for a step of batch_size 4 at 64² \(about [\d.]+ GiB estimated, /);
  assert.match(error.message, /ended by SIGKILL, as happens where memory runs out\. Lower batch_size/);
  assert.match(error.message, /init=\{from: \d{8}-\d{6}-tiny, checkpoint: last\}/);
  const last = readJournal(join(runDir, 'journal.jsonl')).at(-1)!;
  assert.deepEqual([last.type, last.type === 'end' && last.status], ['end', 'FAILED']);
  const { weights } = await readCheckpoint(runDir, await findCheckpoint(runDir, 'last'));
  assert.ok(weights.size > 0);
  await rm(runDir, { recursive: true });
});

test('a step that TensorFlow has no memory for fails its run with one sentence, and nothing half-written', async () => {
  const { ended, said } = start(['resolution=128'], { TF_MKL_ALLOC_MAX_BYTES: String(170 * 2 ** 20) });
  assert.equal(await ended, 1, said.stderr);
  const { error } = JSON.parse(said.stdout) as { error: { message: string } };
  assert.match(error.message, /^Expected memory for a step of batch_size 4 at 128² .* Lower batch_size/);
  const runDir = await onlyRun();
  assert.ok(!(await readdir(runDir)).includes('checkpoints'));
  const last = readJournal(join(runDir, 'journal.jsonl')).at(-1)!;
  assert.deepEqual([last.type, last.type === 'end' && last.status], ['end', 'FAILED']);
});
