import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../src/core/errors.ts';
import { decodePixels } from '../../src/dicom/decode.ts';
import { readAge } from '../../src/dicom/header.ts';
import { normalise } from '../../src/dicom/normalise.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import { type DicomElement, TRANSFER_SYNTAX, writeDicom } from '../../src/dicom/write.ts';
import { COLUMNS, flatJpeg, grayFile, RAMP, ROWS } from './gray-file.ts';

test('a header is read with its quirks, in explicit and implicit VR', () => {
  for (const transferSyntax of [TRANSFER_SYNTAX.explicitLittleEndian, TRANSFER_SYNTAX.implicitLittleEndian]) {
    const { header, pixelData, encapsulated } = parseDicom(
      grayFile({
        transferSyntax,
        elements: [
          { tag: 0x00080018, vr: 'UI', value: 'ID_0123abcd' },
          { tag: 0x00100020, vr: 'LO', value: 'a-uuid' },
          { tag: 0x00100040, vr: 'CS', value: 'M' },
          { tag: 0x00101010, vr: 'AS', value: '38' },
          { tag: 0x00185101, vr: 'CS', value: 'AP' },
          { tag: 0x00280030, vr: 'DS', value: '0.19431099999999998\\0.19431099999999998' },
        ],
      }),
      'x.dcm',
    );
    assert.deepEqual(header, {
      transferSyntax,
      sopInstanceUid: 'ID_0123abcd',
      patientId: 'a-uuid',
      sex: 'M',
      age: 38,
      view: 'AP',
      pixelSpacing: '0.19431099999999998\\0.19431099999999998',
      rows: ROWS,
      columns: COLUMNS,
      bitsAllocated: 8,
      bitsStored: 8,
      highBit: 7,
      signed: false,
      samplesPerPixel: 1,
      frames: 1,
      photometric: 'MONOCHROME2',
      planar: false,
      padding: undefined,
      rescale: { slope: 1, intercept: 0 },
      modalityLut: undefined,
      window: undefined,
      voiLut: undefined,
    });
    assert.equal(encapsulated, false);
    assert.deepEqual([...pixelData[0]!], [...RAMP]);
  }
});

test('ages come in two forms', () => {
  assert.deepEqual(['38', '038Y', '018M', '104W', '729D', '', 'old'].map(readAge), [
    38,
    38,
    1,
    2,
    1,
    undefined,
    undefined,
  ]);
});

test('fragments are cut by their length, though item tags occur inside them', () => {
  const inside = Uint8Array.from([0xff, 0xd8, 0xfe, 0xff, 0x00, 0xe0, 0xfe, 0xff, 0xdd, 0xe0, 0xff, 0xd9]);
  const second = Uint8Array.from([1, 2, 3, 4]);
  const bytes = grayFile({ transferSyntax: TRANSFER_SYNTAX.jpegBaseline, fragments: [inside, second] });
  const { pixelData, encapsulated } = parseDicom(bytes, 'x.dcm');
  assert.equal(encapsulated, true);
  assert.deepEqual(
    pixelData.map((part) => [...part]),
    [[...inside], [...second]],
  );
});

/** Asserts that the bytes are refused with this message. */
function refuses(bytes: Uint8Array, message: RegExp): void {
  assert.throws(
    () => parseDicom(bytes, 'folder/x.dcm'),
    (error: Error) => {
      assert.ok(error instanceof UserError, error.stack);
      assert.match(error.message, message);
      return true;
    },
  );
}

test('what is no DICOM file, damaged or cut short is refused with file and place', () => {
  const whole = grayFile({});
  refuses(new Uint8Array(0), /DICM at byte 128 for folder\/x\.dcm/);
  refuses(Buffer.from('a text that is no image'.repeat(20)), /DICM at byte 128 for folder\/x\.dcm/);
  refuses(whole.subarray(0, 140), /file meta element \(0002,0000\) for byte 140 of folder\/x\.dcm .* 140 bytes/);
  // Pixels are the last 24 bytes; one is missing.
  refuses(whole.subarray(0, whole.length - 1), /24 bytes of pixel data from byte \d+ for folder\/x\.dcm.*cut short/);
  const name: DicomElement = { tag: 0x00100020, vr: 'LO', value: 'somebody' };
  const withoutPixels = writeDicom({ transferSyntax: TRANSFER_SYNTAX.implicitLittleEndian, elements: [name] });
  refuses(withoutPixels, /pixel data \(7FE0,0010\) for folder\/x\.dcm/);
  refuses(
    grayFile({ elements: [{ tag: 0x00280010, vr: 'US', value: [0] }] }),
    /Rows \(0028,0010\) of folder\/x\.dcm.*0/,
  );
  refuses(
    grayFile({ elements: [{ tag: 0x00280011, vr: 'US', value: [] }] }),
    /Columns \(0028,0011\) of folder\/x\.dcm/,
  );
});

test('damaged fragments are refused at their byte', () => {
  const bytes = grayFile({ transferSyntax: TRANSFER_SYNTAX.jpegBaseline, fragments: [Uint8Array.of(1, 2, 3, 4)] });
  // The end: item tag, length 4, the fragment, then the 8 bytes of the sequence delimiter.
  const fragment = bytes.length - 8 - 4;
  refuses(bytes.subarray(0, fragment + 2), new RegExp(`4 bytes of pixel data from byte ${fragment} `));
  refuses(bytes.subarray(0, fragment + 4), new RegExp(`8 bytes of pixel data from byte ${fragment + 4} `));
  const long = Buffer.from(bytes);
  long.writeUInt32LE(0xfffffff0, fragment - 4);
  refuses(long, new RegExp(`4294967280 bytes of pixel data from byte ${fragment} `));
  const strange = Buffer.from(bytes);
  strange.writeUInt32LE(0x12345678, fragment - 8);
  refuses(strange, new RegExp(`byte ${fragment - 8} of folder/x\\.dcm but received "12345678"`));
  refuses(grayFile({ transferSyntax: TRANSFER_SYNTAX.jpegBaseline, fragments: [] }), /at least one fragment/);
});

for (const [name, transferSyntax] of Object.entries(TRANSFER_SYNTAX)) {
  test(`whatever bytes of a file in ${name} are changed or cut off, it gives a picture or a clear sentence`, async () => {
    const jpeg =
      transferSyntax === TRANSFER_SYNTAX.jpegBaseline ? { fragments: [await flatJpeg(COLUMNS, ROWS, 9)] } : {};
    const whole = grayFile({ transferSyntax, elements: [{ tag: 0x00100020, vr: 'LO', value: 'somebody' }], ...jpeg });
    const anyDamage = fc.record({
      length: fc.oneof(fc.constant(whole.length), fc.integer({ min: 0, max: whole.length })),
      changes: fc.array(fc.tuple(fc.integer({ min: 132, max: whole.length - 1 }), fc.integer({ min: 0, max: 255 })), {
        maxLength: 3,
      }),
    });
    await fc.assert(
      fc.asyncProperty(anyDamage, async ({ length, changes }) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          const file = parseDicom(bytes.subarray(0, length), 'x.dcm');
          const { image } = normalise(await decodePixels(file), file.header);
          assert.equal(image.data.length, file.header.rows * file.header.columns);
        } catch (error) {
          assert.ok(error instanceof UserError, (error as Error).stack);
          assert.match(error.message, /x\.dcm/);
        }
      }),
      { numRuns: 500 },
    );
  });
}
