import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clahe } from '../../src/dicom/clahe.ts';
import { decodePixels } from '../../src/dicom/decode.ts';
import { normalise } from '../../src/dicom/normalise.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import { type CodecGolden, fromBase64, mostApart, readGolden } from './golden.ts';

const golden = readGolden<CodecGolden>('dicom-codecs.json');

for (const { name, file, grey } of golden.transforms) {
  test(`${name}: the grey levels of pydicom`, async () => {
    const dicom = parseDicom(fromBase64(file), 'x.dcm');
    const { image } = normalise(await decodePixels(dicom), dicom.header);
    // pydicom rounds a look-up table's output before it is brought to 8 bit.
    assert.ok(mostApart(image.data, fromBase64(grey)) <= 1);
    assert.ok(new Set(image.data).size > 20, 'a picture with few levels would show little');
  });
}

for (const { width, height, clipLimit, tiles, image, result } of golden.clahe) {
  test(`CLAHE of ${width}×${height} in ${tiles} tiles, limit ${clipLimit}: the grey levels of OpenCV`, () => {
    const given = { width, height, data: fromBase64(image) };
    const out = clahe(given, clipLimit, tiles);
    assert.deepEqual([out.width, out.height], [width, height]);
    assert.ok(mostApart(out.data, fromBase64(result)) <= 1, `${mostApart(out.data, fromBase64(result))} apart`);
    assert.ok(mostApart(out.data, given.data) > 10, 'nothing was equalised');
  });
}
