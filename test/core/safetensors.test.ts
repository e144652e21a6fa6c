import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encodeSafetensors, readSafetensors } from '../../src/core/safetensors.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
after(async () => await rm(folder, { recursive: true }));

const tensors = new Map([
  ['a/ü', { shape: [2, 1], data: Float32Array.of(1, -2.5) }],
  ['scalar', { shape: [], data: Float32Array.of(Number.NaN) }],
]);

test('what is written is read', async () => {
  const path = join(folder, 'a.safetensors');
  await writeFile(path, encodeSafetensors(tensors));
  assert.deepEqual(await readSafetensors(path), tensors);
});

test('the header begins the file and the arrays begin at a multiple of 8', () => {
  const bytes = Buffer.from(encodeSafetensors(tensors));
  const length = Number(bytes.readBigUInt64LE(0));
  assert.equal(length % 8, 0);
  assert.deepEqual(JSON.parse(bytes.toString('utf8', 8, 8 + length))['a/ü'], {
    dtype: 'F32',
    shape: [2, 1],
    data_offsets: [0, 8],
  });
});

test('a cut file is refused by name', async () => {
  const path = join(folder, 'cut.safetensors');
  const bytes = encodeSafetensors(tensors);
  await writeFile(path, bytes.subarray(0, bytes.length - 1));
  await assert.rejects(readSafetensors(path), /4 bytes of F32 for scalar in .*cut\.safetensors/);
  await writeFile(path, bytes.subarray(0, 20));
  await assert.rejects(readSafetensors(path), /header is cut off/);
});
