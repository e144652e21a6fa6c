import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { decodePixels } from '../../src/dicom/decode.ts';
import { normalise } from '../../src/dicom/normalise.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import { CORPUS, NO_CORPUS } from './corpus-files.ts';
import { extent, fromBase64, mostApart, readGolden } from './golden.ts';

/** What pydicom makes of a file (test/golden/dicom-corpus.py). */
interface CorpusCase {
  refused?: string;
  rows: number;
  columns: number;
  min: number;
  max: number;
  mean: number;
  sha256: string;
  /** Of a lossy file, every 37th pixel of every 37th row as int16. */
  sample?: string;
}

const STEP = 37;
const golden = Object.entries(readGolden<Record<string, CorpusCase>>('dicom-corpus.json'));

/** The true reasons why these are no use: read in a hex dump, not in what the code says. */
const REFUSALS: Readonly<Record<string, RegExp>> = {
  'pydicom/MR_truncated.dcm': /8192 bytes of pixel data from byte 1500 .*a file of 9630 bytes.*cut short/,
  'pydicom/meta_missing_tsyntax.dcm': /a data set for byte 202/,
  'pydicom/no_meta.dcm': /DICM at byte 128 .* Nor does a data set begin at byte 0/,
  'pylibjpeg-data/966.dcm': /damaged compressed image: Stream too short, expected SOT/,
  'fo-dicom/genFile.dcm': /a JPEG stream \(FF D8\) for byte 0 of the compressed image of .* \[0,0,0,0\]/,
};

test('the 19 files are those of the list', () => {
  assert.equal(golden.length, 19);
  const refused = golden.filter(([, { refused }]) => refused !== undefined).map(([name]) => name);
  assert.deepEqual(refused.sort(), Object.keys(REFUSALS).sort());
});

for (const [name, wanted] of golden) {
  const decoded = REFUSALS[name] === undefined;
  test(`${name} is ${decoded ? 'decoded as by pydicom' : 'refused'}`, { skip: NO_CORPUS }, async () => {
    const bytes = readFileSync(join(CORPUS, name));
    if (decoded) await decodes(bytes, name, wanted);
    else await refuses(bytes, name, REFUSALS[name]!);
  });
}

async function decodes(bytes: Uint8Array, name: string, wanted: CorpusCase): Promise<void> {
  const dicom = parseDicom(bytes, name);
  const pixels = await decodePixels(dicom);
  const { width, height, data } = pixels;
  assert.deepEqual([height, width], [wanted.rows, wanted.columns]);
  const values = Int32Array.from(data);
  if (wanted.sample === undefined) {
    const digest = createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');
    assert.equal(digest, wanted.sha256);
  } else {
    const kept = values.filter((_, i) => Math.floor(i / width) % STEP === 0 && (i % width) % STEP === 0);
    assert.ok(mostApart(kept, new Int16Array(fromBase64(wanted.sample).buffer)) <= 1);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(Math.abs(mean - wanted.mean) < 0.05, `${mean}, not ${wanted.mean}`);
    assert.ok(mostApart(extent(values), [wanted.min, wanted.max]) <= 1);
  }
  const { image } = normalise(pixels, dicom.header);
  assert.ok(new Set(image.data).size > 100, 'a picture of few grey levels');
}

async function refuses(bytes: Uint8Array, name: string, reason: RegExp): Promise<void> {
  const attempt = async () => decodePixels(parseDicom(bytes, name));
  await assert.rejects(attempt, (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, reason);
    assert.ok(error.message.includes(name));
    return true;
  });
}
