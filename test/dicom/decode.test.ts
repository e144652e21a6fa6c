import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { UserError } from '../../src/core/errors.ts';
import { decodePixels } from '../../src/dicom/decode.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import { type DicomElement, TRANSFER_SYNTAX } from '../../src/dicom/write.ts';
import { COLUMNS, flatJpeg, type GrayFile, grayFile, RAMP, ROWS } from './gray-file.ts';

async function decode(file: GrayFile) {
  return await decodePixels(parseDicom(grayFile(file), 'x.dcm'));
}

async function refuses(file: GrayFile, message: RegExp): Promise<void> {
  await assert.rejects(decode(file), (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, message);
    assert.match(error.message, /x\.dcm/);
    return true;
  });
}

test('uncompressed values of 8 to 16 bits come as stored, in explicit and implicit VR', async () => {
  for (const transferSyntax of [TRANSFER_SYNTAX.explicitLittleEndian, TRANSFER_SYNTAX.implicitLittleEndian]) {
    const eight = await decode({ transferSyntax });
    assert.deepEqual([eight.width, eight.height, [...eight.data]], [COLUMNS, ROWS, [...RAMP]]);
    const sixteen = Uint16Array.from(RAMP, (value) => 250 * value);
    assert.deepEqual([...(await decode({ transferSyntax, native: sixteen })).data], [...sixteen]);
    const signed = Int16Array.from(RAMP, (value) => 100 * value - 12000);
    assert.deepEqual([...(await decode({ transferSyntax, native: signed })).data], [...signed]);
  }
});

test('bits outside the stored ones are dropped, and the sign is that of the highest stored bit', async () => {
  // 0xf123 with an overlay in its upper 4 bits holds the 12-bit value 0x123; 0x0fff is 12-bit -1.
  const native = new Uint16Array(ROWS * COLUMNS).fill(0xf123);
  assert.deepEqual(new Set((await decode({ native, bitsStored: 12 })).data), new Set([0x123]));
  const minusOne = new Int16Array(ROWS * COLUMNS).fill(0x0fff);
  assert.deepEqual(new Set((await decode({ native: minusOne, bitsStored: 12 })).data), new Set([-1]));
  // 12 bits kept at the top, as some old writers do: 0x1230 is 0x123.
  const highBit: DicomElement = { tag: 0x00280102, vr: 'US', value: [15] };
  const top = new Uint16Array(ROWS * COLUMNS).fill(0x1230);
  assert.deepEqual(
    new Set((await decode({ native: top, bitsStored: 12, elements: [highBit] })).data),
    new Set([0x123]),
  );
});

test('JPEG Baseline decodes to one grey channel, whole or in fragments, pad byte or none', async () => {
  const jpeg = await flatJpeg(COLUMNS, ROWS, 77);
  const padded = Buffer.concat([jpeg, Buffer.alloc(1)]);
  for (const fragments of [[jpeg], [padded], [jpeg.subarray(0, 100), jpeg.subarray(100)]]) {
    const { width, height, data } = await decode({ transferSyntax: TRANSFER_SYNTAX.jpegBaseline, fragments });
    assert.deepEqual([width, height, data.length], [COLUMNS, ROWS, COLUMNS * ROWS]);
    assert.ok(data.every((value) => Math.abs(value - 77) <= 1));
  }
});

test('a progressive JPEG decodes where JPEG Baseline is announced; a lossless frame is refused by its name', async () => {
  const transferSyntax = TRANSFER_SYNTAX.jpegBaseline;
  const raw = { width: COLUMNS, height: ROWS, channels: 1 as const };
  const levels = Uint8Array.from({ length: COLUMNS * ROWS }, (_, i) => 60 + i);
  const grey = sharp(levels, { raw }).toColourspace('b-w');
  const [sequential, progressive] = await Promise.all(
    [false, true].map((progressive) => grey.clone().jpeg({ quality: 95, progressive }).toBuffer()),
  );
  assert.ok(progressive!.includes(Buffer.from([0xff, 0xc2])));
  const { data } = await decode({ transferSyntax, fragments: [progressive!] });
  assert.deepEqual(data, (await decode({ transferSyntax, fragments: [sequential!] })).data);
  const lossless = Buffer.from(sequential!);
  lossless[lossless.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc3;
  await refuses({ transferSyntax, fragments: [lossless] }, /process baseline or extended or progressive.*"lossless"/);
});

test('a progressive JPEG of more scans than any honest one is refused, whatever its other segments hold', async () => {
  const raw = { width: COLUMNS, height: ROWS, channels: 1 as const };
  const jpeg = await sharp(RAMP, { raw }).toColourspace('b-w').jpeg({ progressive: true }).toBuffer();
  const scan = jpeg.subarray(jpeg.lastIndexOf(Buffer.from([0xff, 0xda])), jpeg.length - 2);
  // An end of the image inside a comment is none.
  const comment = Buffer.from([0xff, 0xfe, 0, 4, 0xff, 0xd9]);
  const withScans = (count: number) =>
    Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2, -2), ...Array(count).fill(scan), jpeg.subarray(-2)]);
  const transferSyntax = TRANSFER_SYNTAX.jpegBaseline;
  assert.equal((await decode({ transferSyntax, fragments: [withScans(0)] })).data.length, COLUMNS * ROWS);
  await refuses({ transferSyntax, fragments: [withScans(40)] }, /at most 32 scans for .* but received 4\d/);
});

test('a damaged, cut or wrongly sized JPEG is refused', async () => {
  const transferSyntax = TRANSFER_SYNTAX.jpegBaseline;
  const jpeg = await flatJpeg(COLUMNS, ROWS, 77);
  await refuses({ transferSyntax, fragments: [jpeg.subarray(0, jpeg.length - 6)] }, /damaged JPEG stream/);
  await refuses({ transferSyntax, fragments: [jpeg.subarray(0, 60)] }, /a whole JPEG segment for byte \d+ of/);
  await refuses(
    { transferSyntax, fragments: [Uint8Array.of(0, 0, 1, 2)] },
    /a JPEG stream \(FF D8\) for byte 0 .*\[0,0,1,2\]/,
  );
  await refuses({ transferSyntax, fragments: [await flatJpeg(7, ROWS, 1)] }, /6×4 as its header says.*"7×4"/);
});

test('fewer bytes than the declared size are refused before anything is allocated', async () => {
  const huge = [
    { tag: 0x00280010, vr: 'US', value: [65500] },
    { tag: 0x00280011, vr: 'US', value: [65500] },
  ] satisfies DicomElement[];
  const wide = [huge[0]!, { tag: 0x00280011, vr: 'US', value: [1000] }] satisfies DicomElement[];
  const memory = process.memoryUsage().arrayBuffers;
  await refuses({ elements: wide }, /65500000 bytes \(1000×65500\).*24 bytes/);
  await refuses({ elements: huge }, /at most 67108864 pixels for Rows × Columns .*65500×65500/);
  const jpeg = Buffer.from(await flatJpeg(COLUMNS, ROWS, 1));
  // A frame header is FF C0, length (2), precision (1), height (2), width (2).
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  jpeg.writeUInt16BE(65500, frame + 5);
  jpeg.writeUInt16BE(1000, frame + 7);
  await refuses(
    { transferSyntax: TRANSFER_SYNTAX.jpegBaseline, fragments: [jpeg], elements: wide },
    /enough bytes for 1000×65500/,
  );
  assert.ok(process.memoryUsage().arrayBuffers - memory < 2 ** 24);
});

test('transfer syntaxes of other kinds are refused by name, and pixels that are not what theirs says', async () => {
  await refuses(
    { transferSyntax: '1.2.840.10008.1.2.4.201' },
    /unsupported transfer syntax 1\.2\.840\.10008\.1\.2\.4\.201 \(High-Throughput JPEG 2000 Lossless\)/,
  );
  await refuses({ transferSyntax: '1.2.3' }, /unsupported transfer syntax 1\.2\.3 \(unknown\)/);
  await refuses({ transferSyntax: 'constructor' }, /unsupported transfer syntax constructor/);
  await refuses({ transferSyntax: '1.2.840.10008.1.2.4.90' }, /compressed fragments .*"uncompressed pixels"/);
  await refuses({ fragments: [RAMP] }, /24 bytes .* but received "compressed fragments"/);
});

test('pictures that are not one frame of 8 to 16 bits are refused by tag', async () => {
  const bad: [DicomElement, RegExp][] = [
    [{ tag: 0x00280004, vr: 'CS', value: 'RGB' }, /3 for SamplesPerPixel \(0028,0002\)/],
    [{ tag: 0x00280002, vr: 'US', value: [3] }, /SamplesPerPixel \(0028,0002\).*3/],
    [{ tag: 0x00280008, vr: 'IS', value: '2' }, /NumberOfFrames \(0028,0008\).*2/],
    [{ tag: 0x00280100, vr: 'US', value: [32] }, /BitsAllocated \(0028,0100\).*32/],
    [{ tag: 0x00280101, vr: 'US', value: [9] }, /BitsStored \(0028,0101\).*9/],
    [{ tag: 0x00280102, vr: 'US', value: [3] }, /HighBit \(0028,0102\).*3/],
  ];
  const many: DicomElement = { tag: 0x00280002, vr: 'US', value: [3] };
  await refuses(
    { elements: [many, { tag: 0x00280004, vr: 'CS', value: 'PALETTE COLOR' }] },
    /PhotometricInterpretation \(0028,0004\).*"PALETTE COLOR"/,
  );
  for (const [element, message] of bad) await refuses({ elements: [element] }, message);
});
