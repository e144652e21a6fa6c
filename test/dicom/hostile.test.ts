import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { UserError } from '../../src/core/errors.ts';
import { decodePixels } from '../../src/dicom/decode.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import { type DicomElement, TRANSFER_SYNTAX } from '../../src/dicom/write.ts';
import { codestream } from './codestream.ts';
import { type CodecGolden, fromBase64, readGolden } from './golden.ts';
import { COLUMNS, grayFile, ROWS } from './gray-file.ts';

async function refuses(bytes: Uint8Array, message: RegExp): Promise<void> {
  const attempt = async () => decodePixels(parseDicom(bytes, 'x.dcm'));
  await assert.rejects(attempt, (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, message);
    assert.match(error.message, /x\.dcm/);
    return true;
  });
}

/** A file's bytes up to its first data element, then others. */
function afterMeta(file: Uint8Array, rest: Uint8Array): Uint8Array {
  const first = Buffer.from(file).indexOf(Buffer.from([0x28, 0, 2, 0]));
  return Buffer.concat([file.subarray(0, first), rest]);
}

/** Tag and undefined length of a sequence, then of its first item, over and over: 20 bytes a level. */
function nested(levels: number): Uint8Array {
  const level = Buffer.from('08001211' + '53510000' + 'ffffffff' + 'feff00e0' + 'ffffffff', 'hex');
  return Buffer.concat(new Array<Buffer>(levels).fill(level));
}

test('sequences a hundred thousand deep are refused at a byte', async () => {
  await refuses(afterMeta(grayFile({}), nested(100_000)), /at byte \d+.*: (sequences nest too deep|more elements)/);
});

test('sequences some levels deep are stepped over', async () => {
  const sequence = Buffer.concat([nested(50), Buffer.from('feff0de000000000feffdde000000000'.repeat(50), 'hex')]);
  const whole = grayFile({});
  const first = Buffer.from(whole).indexOf(Buffer.from([0x28, 0, 2, 0]));
  const { width } = await decodePixels(
    parseDicom(afterMeta(whole, Buffer.concat([sequence, whole.subarray(first)])), 'x.dcm'),
  );
  assert.equal(width, COLUMNS);
});

test('a header of nothing but empty elements is refused before it fills the memory', async () => {
  const bytes = Buffer.alloc(8 * 300_000);
  for (let i = 0; i < 300_000; i++) {
    bytes.writeUInt16LE(9 + 2 * (i >> 16), 8 * i);
    bytes.writeUInt16LE(i & 0xffff, 8 * i + 2);
    bytes.write('LO', 8 * i + 4, 'latin1');
  }
  await refuses(afterMeta(grayFile({}), bytes), /at byte \d+, after element .*more elements than any honest header/);
});

test('a deflated data set that grows beyond all bounds is refused', async () => {
  const bomb = deflateRawSync(Buffer.alloc(2 ** 28 + 1), { level: 9 });
  assert.ok(bomb.length < 2 ** 20);
  const file = grayFile({ transferSyntax: '1.2.840.10008.1.2.1.99' });
  await refuses(afterMeta(file, bomb), /deflated data set from byte \d+ is damaged or too long/);
});

test('a deflated data set that is cut short is refused at a byte of what it inflates to', async () => {
  const whole = grayFile({ transferSyntax: '1.2.840.10008.1.2.1.99' });
  const first = Buffer.from(whole).indexOf(Buffer.from([0x28, 0, 2, 0]));
  const deflated = deflateRawSync(whole.subarray(first), { level: 0 });
  const { data } = await decodePixels(parseDicom(afterMeta(whole, deflated), 'x.dcm'));
  assert.equal(data.length, ROWS * COLUMNS);
  await refuses(
    afterMeta(whole, deflated.subarray(0, 100)),
    /inflated data set of x\.dcm.*at byte|bytes of pixel data/,
  );
});

test('a text of a tag that is longer than any honest one is refused by its tag', async () => {
  const long: DicomElement = { tag: 0x00100020, vr: 'LO', value: 'x'.repeat(2000) };
  await refuses(grayFile({ elements: [long] }), /at most 1024 bytes for \(0010,0020\) of x\.dcm.*2000/);
});

test('elements longer than the file are refused', async () => {
  for (const transferSyntax of [TRANSFER_SYNTAX.implicitLittleEndian, TRANSFER_SYNTAX.explicitLittleEndian]) {
    const bytes = Buffer.from(
      grayFile({ transferSyntax, elements: [{ tag: 0x00100020, vr: 'UT', value: 'somebody' }] }),
    );
    const at = bytes.indexOf(Buffer.from([0x10, 0, 0x20, 0]));
    bytes.writeUInt32LE(0xfffffff0, transferSyntax === TRANSFER_SYNTAX.implicitLittleEndian ? at + 4 : at + 8);
    await refuses(bytes, /after element \(0010,0020\): an element is longer than what holds it/);
  }
});

test('the most pixels that are allowed, in a few hundred bytes, take neither long nor much memory', async () => {
  const { files } = readGolden<CodecGolden>('dicom-codecs.json');
  for (const name of ['JPEG 2000, 16 bit', 'JPEG-LS, 16 bit']) {
    const bytes = Buffer.from(fromBase64(files.find((file) => file.name === name)!.file));
    for (const element of [0x10, 0x11])
      bytes.writeUInt16LE(8192, bytes.indexOf(Buffer.from([0x28, 0, element, 0])) + 8);
    const size = bytes.indexOf(Buffer.from([0xff, 0x51]));
    const frame = bytes.indexOf(Buffer.from([0xff, 0xf7]));
    if (name.startsWith('JPEG-LS')) bytes.fill(Buffer.from([0x20, 0, 0x20, 0]), frame + 5, frame + 9);
    else for (const at of [6, 10, 22, 26]) bytes.writeUInt32BE(8192, size + at);
    const before = process.cpuUsage();
    await refuses(bytes, /./);
    const { user, system } = process.cpuUsage(before);
    assert.ok((user + system) / 1e6 < 5, `${name}: ${(user + system) / 1e6} s`);
    assert.ok(process.memoryUsage.rss() < 2 ** 31, `${name}: ${process.memoryUsage.rss()} bytes`);
  }
});

function ofSide(side: number, stream: Uint8Array): Uint8Array {
  const elements = [0x00280010, 0x00280011].map((tag): DicomElement => ({ tag, vr: 'US', value: [side] }));
  return grayFile({ transferSyntax: '1.2.840.10008.1.2.4.90', fragments: [stream], elements });
}

test('JPEG 2000 of more precincts or code-blocks than any honest stream is refused, wherever it says so', async () => {
  // 2×2 pixels each: a decoder makes millions of records, and some progressions walk over all of them for each packet.
  const precincts = [0x11, 0x11, 0x11, 0x11, 0x11, 0x11];
  for (const where of ['main', 'tile', 'component'] as const) {
    await refuses(ofSide(4096, codestream({ side: 4096, precincts, where })), /at most 131072 precincts for .*5\d{6}/);
    await refuses(
      ofSide(8192, codestream({ side: 8192, block: 0, where })),
      /at most 1048576 code-blocks for .*4\d{6}/,
    );
  }
});

test('JPEG 2000 with small precincts and code-blocks is decoded', async () => {
  for (const where of ['main', 'tile', 'component'] as const) {
    const stream = codestream({ side: 256, precincts: [0x44, 0x44, 0x44, 0x44, 0x44, 0x44], block: 0, where });
    const { data } = await decodePixels(parseDicom(ofSide(256, stream), 'x.dcm'));
    assert.ok(data.length === 256 ** 2 && data.every((value) => value === 128), 'empty packets are mid-grey');
  }
});
