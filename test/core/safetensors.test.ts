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

test('numbers of other types become float32', async () => {
  // 1.5 and −2 in each: sign, exponent and fraction by hand.
  const stored: Record<string, [bytes: number[], values: number[]]> = {
    F16: [
      [0x00, 0x3e, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x7c],
      [1.5, -2, 2 ** -24, Number.POSITIVE_INFINITY],
    ],
    BF16: [
      [0xc0, 0x3f, 0x00, 0xc0],
      [1.5, -2],
    ],
    F64: [[0, 0, 0, 0, 0, 0, 0xf8, 0x3f], [1.5]],
    I64: [[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [-2]],
    I32: [[0x00, 0x01, 0x00, 0x00], [256]],
    I16: [[0xfe, 0xff], [-2]],
    I8: [[0xfe], [-2]],
    U8: [[0xfe], [254]],
    BOOL: [
      [1, 0],
      [1, 0],
    ],
  };
  const path = join(folder, 'types.safetensors');
  for (const [dtype, [bytes, values]] of Object.entries(stored)) {
    const header = { x: { dtype, shape: [values.length], data_offsets: [0, bytes.length] } };
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    await writeFile(path, Buffer.concat([length, text, Buffer.from(bytes)]));
    const read = await readSafetensors(path);
    assert.deepEqual(read.get('x'), { shape: [values.length], data: Float32Array.from(values) }, dtype);
  }
});

test('a type that is not known is refused by name', async () => {
  const path = join(folder, 'unknown.safetensors');
  const bytes = Buffer.from(encodeSafetensors(new Map([['x', { shape: [1], data: Float32Array.of(1) }]])));
  await writeFile(path, Buffer.from(bytes.toString('latin1').replace('"F32"', '"F99"'), 'latin1'));
  await assert.rejects(readSafetensors(path), /known type for x in .*unknown\.safetensors but received 4 of F99/);
});

test('a cut file is refused by name', async () => {
  const path = join(folder, 'cut.safetensors');
  const bytes = encodeSafetensors(tensors);
  await writeFile(path, bytes.subarray(0, bytes.length - 1));
  await assert.rejects(readSafetensors(path), /4 bytes of F32 for scalar in .*cut\.safetensors/);
  await writeFile(path, bytes.subarray(0, 20));
  await assert.rejects(readSafetensors(path), /header is cut off/);
});
