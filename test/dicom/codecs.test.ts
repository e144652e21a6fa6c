import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { decodePixels } from '../../src/dicom/decode.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import { type CodecCase, type CodecGolden, fromBase64, mostApart, readGolden } from './golden.ts';

const { rows, columns, files } = readGolden<CodecGolden>('dicom-codecs.json');

async function decode(bytes: Uint8Array) {
  return await decodePixels(parseDicom(bytes, 'x.dcm'));
}

/** BT.601 luma of interleaved RGB. */
function luma(values: Int32Array): number[] {
  return Array.from({ length: values.length / 3 }, (_, i) =>
    Math.round(0.299 * values[3 * i]! + 0.587 * values[3 * i + 1]! + 0.114 * values[3 * i + 2]!),
  );
}

for (const { name, file, exact, values } of files) {
  test(`${name}: as pydicom has it`, async () => {
    const pixels = await decode(fromBase64(file));
    const stored = new Int32Array(fromBase64(values).buffer);
    const colour = stored.length === 3 * rows * columns;
    assert.deepEqual([pixels.width, pixels.height], [columns, rows]);
    assert.ok(mostApart(pixels.data, colour ? luma(stored) : stored) <= (exact ? 0 : 1));
    assert.deepEqual(pixels.notes, colour ? ['colour (RGB) reduced to its brightness'] : []);
  });
}

test('there is a file of every transfer syntax that is decoded', () => {
  const syntaxes = new Set(files.map(({ file }) => parseDicom(fromBase64(file), 'x.dcm').header.transferSyntax));
  const wanted = [
    '',
    '.1',
    '.1.99',
    '.2',
    '.4.50',
    '.4.51',
    '.4.57',
    '.4.70',
    '.4.80',
    '.4.81',
    '.4.90',
    '.4.91',
    '.5',
  ];
  assert.deepEqual([...syntaxes].sort(), wanted.map((suffix) => `1.2.840.10008.1.2${suffix}`).sort());
});

function bytesOf(start: string): Buffer {
  const found = files.find(({ name }: CodecCase) => name.startsWith(start));
  assert.ok(found, start);
  return Buffer.from(found.file, 'base64');
}

async function refuses(bytes: Uint8Array, message: RegExp): Promise<void> {
  await assert.rejects(decode(bytes), (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, message);
    assert.match(error.message, /x\.dcm/);
    return true;
  });
}

test('a stream of another size than the header says is refused before it is decoded', async () => {
  const jpeg = bytesOf('JPEG Lossless, 12 bit');
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc3]));
  jpeg.writeUInt16BE(9000, frame + 7);
  await refuses(jpeg, /24×16 as its header says.*"9000×16"/);
  const j2k = bytesOf('JPEG 2000, 12 bit');
  const size = j2k.indexOf(Buffer.from([0xff, 0x51]));
  j2k.writeUInt32BE(17, size + 10);
  await refuses(j2k, /24×16 as its header says.*"24×17"/);
  const tiles = bytesOf('JPEG 2000, 12 bit');
  tiles.writeUInt32BE(1, size + 22);
  tiles.writeUInt32BE(1, size + 26);
  await refuses(tiles, /at most \d+ tiles for .* received 384/);
});

test('a stream of another process than its transfer syntax says is refused by name', async () => {
  const lossless = bytesOf('JPEG Lossless, 12 bit, predictor 1').toString('latin1');
  const relabelled = lossless.replace('1.2.840.10008.1.2.4.70', '1.2.840.10008.1.2.4.51');
  await refuses(Buffer.from(relabelled, 'latin1'), /process baseline or extended, as .*JPEG Extended.*"lossless"/);
  const arithmetic = bytesOf('JPEG Lossless, 12 bit');
  arithmetic[arithmetic.indexOf(Buffer.from([0xff, 0xc3])) + 1] = 0xcb;
  await refuses(arithmetic, /a JPEG process that DICOM allows for byte \d+/);
});

test('a compressed stream under an uncompressed transfer syntax is decoded and noted', async () => {
  const bytes = bytesOf('JPEG-LS, 12 bit').toString('latin1');
  const relabelled = bytes.replace('1.2.840.10008.1.2.4.80', '1.2.840.10008.1.2.1\0\0\0');
  const { notes, data } = await decode(Buffer.from(relabelled, 'latin1'));
  assert.match(notes!.join(), /the pixels are .*JPEG-LS Near-Lossless.*, not .*Explicit VR Little Endian/);
  const { data: same } = await decode(bytesOf('JPEG-LS, 12 bit'));
  assert.deepEqual(data, same);
});

test('RLE segments outside the fragment, too few, or ending early are refused', async () => {
  const header = Buffer.from('0200000040000000', 'hex');
  const at = bytesOf('RLE, signed').indexOf(header);
  const change = (offset: number, value: number) => {
    const bytes = bytesOf('RLE, signed');
    bytes.writeUInt32LE(value, at + offset);
    return bytes;
  };
  await refuses(change(0, 3), /2 segments for .* received 3/);
  await refuses(change(8, 0xfffffff0), /segment 1 of the RLE pixels .*4294967280/);
  await refuses(change(8, 70), /384 bytes for segment 1 .* which end at byte/);
});

test('after a damaged stream the next one is decoded', async () => {
  const damaged = bytesOf('JPEG 2000, 16 bit');
  damaged.fill(0xff, damaged.indexOf(Buffer.from([0xff, 0x52])), damaged.length - 8);
  await refuses(damaged, /damaged compressed image: \S/);
  await decode(bytesOf('JPEG 2000, 16 bit'));
});
