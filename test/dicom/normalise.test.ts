import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePixels } from '../../src/dicom/decode.ts';
import { normalise } from '../../src/dicom/normalise.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import { COLUMNS, type GrayFile, grayFile, RAMP, ROWS } from './gray-file.ts';

async function normalised(file: GrayFile) {
  const dicom = parseDicom(grayFile(file), 'x.dcm');
  const { image, notes } = normalise(await decodePixels(dicom), dicom.header);
  assert.deepEqual([image.width, image.height], [COLUMNS, ROWS]);
  return { values: [...image.data], notes };
}

test('8-bit values stay as they are', async () => {
  assert.deepEqual(await normalised({}), { values: [...RAMP], notes: [] });
});

test('MONOCHROME1 is inverted', async () => {
  const wanted = [...RAMP].map((value) => 255 - value);
  assert.deepEqual(await normalised({ photometric: 'MONOCHROME1' }), {
    values: wanted,
    notes: ['MONOCHROME1 inverted'],
  });
});

test('wider values are stretched over their own range', async () => {
  // 1000, 1010, … 1230: the range of 230 becomes 255.
  const native = Uint16Array.from(RAMP, (value) => 1000 + value);
  const { values, notes } = await normalised({ native, bitsStored: 12 });
  assert.deepEqual(
    values,
    [...RAMP].map((value) => Math.round((value * 255) / 230)),
  );
  assert.deepEqual(notes, ['12-bit values 1000 to 1230 (their own range) stretched to 8 bit']);
});

test('a flat picture becomes black, not NaN', async () => {
  const { values } = await normalised({ native: new Uint16Array(ROWS * COLUMNS).fill(500) });
  assert.deepEqual(new Set(values), new Set([0]));
});

test("a window counts, in rescaled units, by the standard's formula", async () => {
  // Center 100 and width 101: from 100 - 0.5 - 100/2 = 49.5 to 100 - 0.5 + 100/2 = 149.5 in rescaled units.
  // With value = 2·stored - 1000 these are stored (49.5 + 1000)/2 = 524.75 and (149.5 + 1000)/2 = 574.75.
  const native = Uint16Array.from(RAMP, (value) => 400 + value);
  const { values, notes } = await normalised({
    native,
    elements: [
      { tag: 0x00281050, vr: 'DS', value: '100\\0' },
      { tag: 0x00281051, vr: 'DS', value: '101\\1' },
      { tag: 0x00281052, vr: 'DS', value: '-1000' },
      { tag: 0x00281053, vr: 'DS', value: '2' },
    ],
  });
  const wanted = [...native].map((stored) => Math.round(Math.min(Math.max((stored - 524.75) / 50, 0), 1) * 255));
  assert.deepEqual(values, wanted);
  assert.match(notes[0]!, /16-bit values of center 100 and width 101 \(the file's window\)/);
});
