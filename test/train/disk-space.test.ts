import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { checkSpace, estimateSpace, freeFor } from '../../src/train/disk-space.ts';

const folder = await mkdtemp(join(tmpdir(), 'disk-space-'));
after(async () => await rm(folder, { recursive: true }));

const plain = { epochs: 10, batch_size: 4, accumulation_steps: 1, swa_epochs: 0, keep_top_k: 0, resolution: 32 };
const parts = { weights: 1000, trained: 900, slots: 1800 };
const images = { train: 40, validation: 5 };

test('three checkpoints at least: the last, the one before, and the one that is being written', () => {
  const { checkpoint, probabilities, least, most } = estimateSpace(plain, parts, images);
  const journal = 10 * 10 * 100;
  assert.equal(checkpoint, 2800);
  assert.equal(probabilities, 5 * 32 * 32);
  assert.equal(least, 3 * 2800 + journal);
  // Three best ones too, with their probabilities.
  assert.equal(most, 6 * 2800 + 5 * probabilities + journal);
});

test('what an experiment keeps and averages is counted', () => {
  const journal = 10 * 5 * 100;
  const all = { ...plain, accumulation_steps: 2, swa_epochs: 3, ema: { decay: 0.9 }, keep_top_k: 4 };
  const { checkpoint, least, most } = estimateSpace(all, parts, images);
  const whole = 1000 + 1800 + 900 + 2 * 1000;
  assert.equal(checkpoint, whole);
  assert.equal(least, 5 * (1000 + 1800 + 900) + journal);
  const probabilities = 5 * 32 * 32;
  assert.equal(most, 9 * (whole + 900) + 2 * 1000 + 10 * probabilities + journal);
  assert.equal(estimateSpace({ ...plain, epochs: 1 }, parts, images).least, 2800 + 10 * 100);
});

test('a run that surely has not enough room is refused; what it has written counts as room', async () => {
  const need = estimateSpace(plain, { weights: 2 ** 31, trained: 0, slots: 0 }, images);
  const runDir = join(folder, 'runs/a');
  await assert.rejects(
    checkSpace(runDir, need, 2 ** 31),
    (error) =>
      error instanceof UserError &&
      /^Expected at least 6\.0 GiB of room .*runs\/a but there are 2\.0 GiB\. Make/.test(error.message),
  );
  await checkSpace(runDir, need, need.least);
  await mkdir(join(runDir, 'checkpoints/epoch-0001'), { recursive: true });
  await writeFile(join(runDir, 'checkpoints/epoch-0001/weights'), new Uint8Array(1000));
  await checkSpace(runDir, need, need.least - 1000);
  await assert.rejects(checkSpace(runDir, need, need.least - 1001), UserError);
});

test('the room of a folder that is not there yet is that of the one above', async () => {
  assert.ok((await freeFor(join(folder, 'not/there/yet'))) > 0);
});
