import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePixels } from '../../src/dicom/decode.ts';
import { guessEncoding } from '../../src/dicom/guess-encoding.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import { TRANSFER_SYNTAX } from '../../src/dicom/write.ts';
import { grayFile, RAMP } from './gray-file.ts';

const DATA_SET = Buffer.from([0x08, 0, 0x18, 0]);
const FIRST = { tag: 0x00080018, vr: 'UI' as const, value: '1.2.3' };

async function decode(bytes: Uint8Array) {
  return await decodePixels(parseDicom(bytes, 'x.dcm'));
}

for (const [name, transferSyntax] of [
  ['Explicit VR Little Endian', TRANSFER_SYNTAX.explicitLittleEndian],
  ['Implicit VR Little Endian', TRANSFER_SYNTAX.implicitLittleEndian],
] as const) {
  test(`${name}: without preamble, without meta group, or with neither, a file is read and that is noted`, async () => {
    const whole = Buffer.from(grayFile({ transferSyntax, elements: [FIRST] }));
    const start = whole.indexOf(DATA_SET);
    const guessed = `no transfer syntax given, read as ${transferSyntax} (${name})`;
    const forms: [Uint8Array, string[]][] = [
      [whole, []],
      [whole.subarray(132), ['no preamble']],
      [whole.subarray(start), ['no preamble', 'no file meta group', guessed]],
      [Buffer.concat([whole.subarray(0, 132), whole.subarray(start)]), ['no file meta group', guessed]],
    ];
    for (const [bytes, notes] of forms) {
      const pixels = await decode(bytes);
      assert.deepEqual([...pixels.data], [...RAMP]);
      assert.deepEqual(pixels.notes, notes);
    }
  });
}

test('a meta group without a transfer syntax leaves the data set to tell', async () => {
  const whole = grayFile({ transferSyntax: '', elements: [FIRST] });
  const { notes } = await decode(whole);
  assert.deepEqual(notes, ['no transfer syntax given, read as 1.2.840.10008.1.2.1 (Explicit VR Little Endian)']);
});

test('a first element tells how a data set is written, and noise does not', () => {
  const guess = (hex: string) => guessEncoding(Buffer.from(hex + '00'.repeat(20), 'hex'), 0);
  assert.equal(guess('0800180055490600'), '1.2.840.10008.1.2.1');
  assert.equal(guess('0800180006000000'), '1.2.840.10008.1.2');
  assert.equal(guess('0008001855490006'), '1.2.840.10008.1.2.2');
  assert.equal(guess('08001800ffffff00'), undefined);
  assert.equal(guess('0000000000000000'), undefined);
  assert.equal(guess('89504e470d0a1a0a'), undefined);
  assert.equal(guessEncoding(Buffer.from('080018', 'hex'), 0), undefined);
});
