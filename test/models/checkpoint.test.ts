import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import {
  checkpointDir,
  digestOfWeights,
  findCheckpoint,
  pointCheckpoints,
  readCheckpoint,
  saveCheckpoint,
} from '../../src/models/checkpoint.ts';

let runDir: string;
beforeEach(async () => {
  runDir = await mkdtemp(join(tmpdir(), 'checkpoint-'));
});
afterEach(async () => await rm(runDir, { recursive: true }));

const weights = new Map([['conv/kernel', { shape: [2], data: Float32Array.of(1, 2) }]]);

test('a checkpoint is read back as it was saved', async () => {
  const digest = await saveCheckpoint(runDir, 'epoch-0001', { weights, state: { epoch: 1 } });
  assert.deepEqual(await readCheckpoint(runDir, 'epoch-0001'), { weights, sha256: digest });
  assert.equal(digest, digestOfWeights(weights));
});

test('one flipped bit is noticed and named', async () => {
  await saveCheckpoint(runDir, 'epoch-0001', { weights, state: {} });
  const path = join(checkpointDir(runDir, 'epoch-0001'), 'weights.safetensors');
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(path, bytes);
  await assert.rejects(readCheckpoint(runDir, 'epoch-0001'), /SHA-256 .*weights\.safetensors/);
});

test('names move together, and what no name means is removed', async () => {
  for (const id of ['epoch-0001', 'epoch-0002', 'epoch-0003']) {
    await saveCheckpoint(runDir, id, { weights, state: {} });
    await pointCheckpoints(runDir, id === 'epoch-0001' ? { last: id, 'best-dice': id } : { last: id });
  }
  assert.equal(await findCheckpoint(runDir, 'best-dice'), 'epoch-0001');
  assert.equal(await findCheckpoint(runDir, 'last'), 'epoch-0003');
  assert.deepEqual((await readdir(join(runDir, 'checkpoints'))).sort(), ['epoch-0001', 'epoch-0003', 'index.json']);
});

test('a name that the run lacks is refused with those that it has', async () => {
  await saveCheckpoint(runDir, 'epoch-0001', { weights, state: {} });
  await pointCheckpoints(runDir, { last: 'epoch-0001' });
  await assert.rejects(
    findCheckpoint(runDir, 'swa'),
    (error) => error instanceof UserError && error.message.includes('"swa"') && error.message.includes('It has last.'),
  );
});
