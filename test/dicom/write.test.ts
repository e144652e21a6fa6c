import assert from 'node:assert/strict';
import { test } from 'node:test';
import dicomParser from 'dicom-parser';
import sharp from 'sharp';
import { type DicomElement, grayPixelElements, TRANSFER_SYNTAX, writeDicom } from '../../src/dicom/write.ts';

const identity: DicomElement[] = [
  { tag: 0x00100020, vr: 'LO', value: 'odd' },
  { tag: 0x00080018, vr: 'UI', value: '2.25.1' },
  { tag: 0x00080016, vr: 'UI', value: '1.2.840.10008.5.1.4.1.1.7' },
];

for (const name of ['explicitLittleEndian', 'implicitLittleEndian'] as const) {
  test(`16-bit samples survive in ${name}`, () => {
    const native = Uint16Array.of(0, 1, 4095, 65535, 258, 7);
    const elements = [...grayPixelElements({ rows: 2, columns: 3, bitsAllocated: 16, bitsStored: 12 }), ...identity];
    const bytes = writeDicom({ transferSyntax: TRANSFER_SYNTAX[name], elements, pixelData: { native } });
    const data = dicomParser.parseDicom(bytes);
    assert.equal(data.string('x00020010'), TRANSFER_SYNTAX[name]);
    assert.equal(data.string('x00020003'), '2.25.1');
    assert.equal(data.string('x00100020'), 'odd');
    assert.deepEqual(
      ['x00280010', 'x00280011', 'x00280100', 'x00280101', 'x00280102', 'x00280103'].map((tag) => data.uint16(tag)),
      [2, 3, 16, 12, 12 - 1, 0],
    );
    const pixels = data.elements.x7fe00010!;
    assert.equal(pixels.length, 2 * 2 * 3);
    const stored = Buffer.from(bytes).subarray(pixels.dataOffset);
    assert.deepEqual(
      [...native],
      [0, 2, 4, 6, 8, 10].map((at) => stored.readUInt16LE(at)),
    );
  });
}

test('an odd number of 8-bit samples is padded with a zero, and the pixel data are OB', () => {
  const elements = [...grayPixelElements({ rows: 1, columns: 3, bitsAllocated: 8 }), ...identity];
  const pixelData = { native: Uint8Array.of(1, 2, 3) };
  const bytes = writeDicom({ transferSyntax: TRANSFER_SYNTAX.explicitLittleEndian, elements, pixelData });
  const pixels = dicomParser.parseDicom(bytes).elements.x7fe00010!;
  assert.equal(pixels.vr, 'OB');
  assert.deepEqual([...bytes.subarray(pixels.dataOffset, pixels.dataOffset + pixels.length)], [1, 2, 3, 0]);
});

test('signed samples and SS values keep their sign', () => {
  const elements: DicomElement[] = [
    ...grayPixelElements({ rows: 1, columns: 1, bitsAllocated: 16, signed: true, photometric: 'MONOCHROME1' }),
    { tag: 0x00280106, vr: 'SS', value: [-2] },
    ...identity,
  ];
  const pixelData = { native: Int16Array.of(-3) };
  const bytes = writeDicom({ transferSyntax: TRANSFER_SYNTAX.explicitLittleEndian, elements, pixelData });
  const data = dicomParser.parseDicom(bytes);
  assert.equal(data.int16('x00280106'), -2);
  assert.equal(data.string('x00280004'), 'MONOCHROME1');
  assert.equal(Buffer.from(bytes).readInt16LE(data.elements.x7fe00010!.dataOffset), -3);
});

test('a JPEG fragment comes back whole behind an empty offset table', async () => {
  const jpeg = await sharp(Buffer.alloc(64, 100), { raw: { width: 8, height: 8, channels: 1 } })
    .toColourspace('b-w')
    .jpeg()
    .toBuffer();
  const elements = [...grayPixelElements({ rows: 8, columns: 8, bitsAllocated: 8 }), ...identity];
  const pixelData = { fragments: [jpeg.subarray(0, 101), jpeg] };
  const bytes = writeDicom({ transferSyntax: TRANSFER_SYNTAX.jpegBaseline, elements, pixelData });
  const data = dicomParser.parseDicom(bytes);
  const pixels = data.elements.x7fe00010!;
  assert.equal(pixels.basicOffsetTable!.length, 0);
  assert.deepEqual(
    pixels.fragments!.map((fragment) => fragment.length),
    [101 + 1, jpeg.length + (jpeg.length % 2)],
  );
  const second = dicomParser.readEncapsulatedPixelDataFromFragments(data, pixels, 1, 1);
  const grey = await sharp(second).toColourspace('b-w').raw().toBuffer();
  assert.deepEqual(new Set(grey), new Set([100]));
});

test('the file meta may name another instance than the data set', () => {
  const bytes = writeDicom({
    transferSyntax: TRANSFER_SYNTAX.explicitLittleEndian,
    elements: identity,
    mediaStorageSopInstanceUid: '2.25.9',
  });
  const data = dicomParser.parseDicom(bytes);
  assert.equal(data.string('x00020003'), '2.25.9');
  assert.equal(data.string('x00080018'), '2.25.1');
  // The group's length counts what follows its own 12 bytes, up to the first element of the data set.
  const first = data.elements.x00080016!.dataOffset - 8;
  assert.equal(data.uint32('x00020000'), first - (128 + 4 + 12));
});

test('refuses numbers for a text element', () => {
  const elements: DicomElement[] = [{ tag: 0x00100010, vr: 'PN', value: [1] }];
  assert.throws(
    () => writeDicom({ transferSyntax: TRANSFER_SYNTAX.explicitLittleEndian, elements }),
    /element 00100010 of VR PN/,
  );
});
