import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { applyPatientTable, readPatientTable } from '../../src/data/patient-table.ts';
import { put, temporaryFolder } from './fixture-competition.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => {
  folder = await temporaryFolder();
});
after(() => folder.remove());

async function read(text: string) {
  await put(folder.path, 'map.csv', text);
  return await readPatientTable(join(folder.path, 'map.csv'));
}

test('columns are found by name, in any order and dialect', async () => {
  const wanted = [
    ['1.2', 'anna'],
    ['1.3', 'bert'],
  ];
  for (const text of [
    'image_id,patient_id\n1.2,anna\n1.3,bert\n',
    '\uFEFFPatientID, view, ImageId\r\nanna, PA, 1.2\r\nbert, AP, 1.3',
    'id,Patient ID\n1.2,anna\n1.2,anna\n\n1.3,bert\n',
  ]) {
    assert.deepEqual([...(await read(text)).patients], wanted, text);
  }
});

const BAD: [text: string, message: RegExp][] = [
  ['image_id,who\na,b\n', /a column patient_id for .*map\.csv:1.*image_id,who/],
  ['', /a column image_id/],
  ['image_id,patient_id\na,\n', /an image and its patient for .*map\.csv:2/],
  ['image_id,patient_id\na,x\nb,y\na,z\n', /the patient "x" that a has above for .*map\.csv:4.*"z"/],
  ['image_id,patient_id\n"a,x\n', /map\.csv: damaged CSV/],
];
for (const [text, message] of BAD) {
  test(`a table of patients is refused: ${JSON.stringify(text)}`, async () => {
    await assert.rejects(read(text), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('the table counts before the tag, and reaches images that share a tag with a named one', () => {
  const images = [
    { id: 'a', patientId: 't1' },
    { id: 'b', patientId: 't1' },
    { id: 'c', patientId: 't2' },
    { id: 'd', patientId: '' },
    { id: 'e', patientId: '' },
  ];
  const patients = new Map([
    ['a', 'anna'],
    ['d', 'anna'],
    ['strange', 'otto'],
  ]);
  const named = applyPatientTable(images, { patients });
  assert.deepEqual(
    named.images.map(({ patientId }) => patientId),
    ['anna', 'anna', 't2', 'anna', ''],
  );
  assert.deepEqual(named.sources, { table: 2, sameTag: 1, tag: 1, unknown: 1 });
});
