import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePixels } from '../../src/dicom/decode.ts';
import { normalisationConfig } from '../../src/dicom/normalisation.ts';
import { normalise } from '../../src/dicom/normalise.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import type { DicomElement } from '../../src/dicom/write.ts';
import { COLUMNS, type GrayFile, grayFile, RAMP, ROWS } from './gray-file.ts';

async function normalised(file: GrayFile, config: unknown) {
  const dicom = parseDicom(grayFile(file), 'x.dcm');
  const { image, notes } = normalise(await decodePixels(dicom), dicom.header, normalisationConfig.parse(config));
  return { values: [...image.data], notes };
}

const WINDOW: DicomElement[] = [
  { tag: 0x00281050, vr: 'DS', value: '101' },
  { tag: 0x00281051, vr: 'DS', value: '52' },
];
/** 101 - 0.5 - 25.5 = 75 is black and 126 is white. */
const WINDOWED = [...RAMP].map((value) => Math.round(Math.min(Math.max((value - 75) / 51, 0), 1) * 255));

test('a window of an 8-bit file is not applied unless it is asked for', async () => {
  assert.deepEqual((await normalised({ elements: WINDOW }, { name: 'none' })).values, [...RAMP]);
  assert.deepEqual((await normalised({ elements: WINDOW }, { name: 'window' })).values, WINDOWED);
  assert.deepEqual((await normalised({}, { name: 'window' })).values, [...RAMP]);
});

test('a window can be given, whatever the file says', async () => {
  const config = { name: 'window', center: 101, width: 52 };
  const { values, notes } = await normalised({ elements: [{ tag: 0x00281050, vr: 'DS', value: '7' }] }, config);
  assert.deepEqual(values, WINDOWED);
  assert.deepEqual(notes, ['8-bit values of center 101 and width 52 (the window asked for) stretched to 8 bit']);
});

test('percentiles leave the outermost pixels out', async () => {
  // 24 values 0, 10, … 230: the nearest rank of 25 % is the 6th (50), of 79 % the 19th (180).
  const { values, notes } = await normalised({}, { name: 'minmax', low: 25, high: 79 });
  const wanted = [...RAMP].map((value) => Math.round(Math.min(Math.max((value - 50) / 130, 0), 1) * 255));
  assert.deepEqual(values, wanted);
  assert.deepEqual(notes, ['8-bit values 50 to 180 (percentiles 25 and 79) stretched to 8 bit']);
});

test('inversion comes after the window, and a falling rescale turns the values round', async () => {
  const inverted = await normalised({ elements: WINDOW, photometric: 'MONOCHROME1' }, { name: 'window' });
  assert.deepEqual(
    inverted.values,
    WINDOWED.map((value) => 255 - value),
  );
  const native = Uint16Array.from(RAMP);
  const falling: DicomElement[] = [
    { tag: 0x00281052, vr: 'DS', value: '230' },
    { tag: 0x00281053, vr: 'DS', value: '-1' },
  ];
  const { values } = await normalised({ native, elements: falling }, { name: 'none' });
  assert.deepEqual(
    values,
    [...RAMP].map((value) => Math.round(((230 - value) / 230) * 255)),
  );
});

test('padding is no part of the range', async () => {
  const native = Uint16Array.from(RAMP, (value) => 1000 + value);
  native[0] = 65535;
  const padding: DicomElement = { tag: 0x00280120, vr: 'US', value: [65535] };
  const { values, notes } = await normalised({ native, elements: [padding] }, { name: 'none' });
  assert.match(notes.join(), /values 1010 to 1230 \(their own range\)/);
  assert.deepEqual(values.slice(1, 3), [0, Math.round((10 / 220) * 255)]);
});

test('CLAHE spreads a narrow range of grey levels', async () => {
  const native = Uint8Array.from(RAMP, (_, i) => 100 + (i % 5));
  const { values } = await normalised({ native }, { name: 'clahe', clip_limit: 40, tiles: 1 });
  assert.equal(values.length, ROWS * COLUMNS);
  assert.ok(Math.max(...values) - Math.min(...values) > 100, String(values));
});

test('what a normalisation can be is checked', () => {
  const refused: [unknown, RegExp][] = [
    [{ name: 'window', center: 3 }, /both center and width, or neither/],
    [{ name: 'minmax', low: 60, high: 40 }, /a low percentile below the high one/],
    [{ name: 'clahe', tiles: 0 }, /tiles/],
    [{ name: 'none', low: 1 }, /low/],
    [{ name: 'histogram' }, /name/],
  ];
  for (const [config, message] of refused) {
    const { error } = normalisationConfig.safeParse(config);
    assert.match(error?.message ?? 'accepted', message);
  }
  assert.deepEqual(normalisationConfig.parse({ name: 'minmax' }), { name: 'minmax', low: 0.5, high: 99.5 });
  assert.deepEqual(normalisationConfig.parse({ name: 'clahe' }), { name: 'clahe', clip_limit: 2, tiles: 8 });
});
