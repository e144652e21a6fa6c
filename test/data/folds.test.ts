import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../src/core/errors.ts';
import { drawFolds, type FoldImage, type FoldRow, readFolds, splitFold, writeFolds } from '../../src/data/folds.ts';
import { put, temporaryFolder } from './fixture-competition.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => {
  folder = await temporaryFolder();
});
after(() => folder.remove());

const anyImages = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 4 })), { minLength: 100, maxLength: 300 })
  .map((pairs) =>
    pairs.map(([patient, size], index): FoldImage => {
      const patientId = patient === 0 ? '' : `p${patient}`;
      return { id: `i${index}`, patientId, positive: size === 0, maskArea: size === 0 ? 100 + index : 0 };
    }),
  );

const anyOptions = fc
  .record({
    target: fc.oneof(
      fc.record({ holdout: fc.constantFrom(0.15, 0.2, 0.5) }),
      fc.record({ k: fc.integer({ min: 2, max: 6 }) }),
    ),
    seed: fc.integer({ min: 0, max: 1e6 }),
  })
  .map(({ target, seed }) => ({ ...target, seed }));

function count(rows: readonly FoldRow[], fold: number): number {
  return rows.filter((row) => row.fold === fold).length;
}

test('no patient is in two folds, every image is in one, and equal seeds draw equal folds', () => {
  fc.assert(
    fc.property(anyImages, anyOptions, (images, options) => {
      const rows = drawFolds(images, { ...options, group: 'patient' });
      assert.deepEqual(
        rows.map(({ imageId, patientId }) => [imageId, patientId]),
        images.map(({ id, patientId }) => [id, patientId]),
      );
      const foldOf = new Map<string, number>();
      for (const { patientId, fold } of rows) {
        if (patientId === '') continue;
        assert.equal(foldOf.get(patientId) ?? fold, fold);
        foldOf.set(patientId, fold);
      }
      assert.deepEqual(drawFolds(images, { ...options, group: 'patient' }), rows);
    }),
    { numRuns: 60 },
  );
});

test('sizes and shares of positives match the targets to a group', () => {
  fc.assert(
    fc.property(anyImages, anyOptions, (images, options) => {
      const rows = drawFolds(images, { ...options, group: 'none' });
      const folds = 'k' in options ? Array.from({ length: options.k }, (_, fold) => fold) : [0];
      const share = 'k' in options ? 1 / options.k : options.holdout;
      const positive = new Set(images.filter((image) => image.positive).map(({ id }) => id));
      for (const fold of folds) {
        assert.ok(Math.abs(count(rows, fold) - share * images.length) <= 3);
        const positives = rows.filter((row) => row.fold === fold && positive.has(row.imageId)).length;
        assert.ok(Math.abs(positives - share * positive.size) <= 3);
      }
    }),
    { numRuns: 60 },
  );
});

/** 600 patients of 1 to 4 images, half of the positives with small masks. */
function population(): FoldImage[] {
  return Array.from({ length: 600 }, (_, patient) =>
    Array.from({ length: 1 + (patient % 4) }, (_, n): FoldImage => {
      const positive = (patient * 7 + n) % 5 === 0;
      return { id: `${patient}-${n}`, patientId: `p${patient}`, positive, maskArea: positive ? 500 + patient : 0 };
    }),
  ).flat();
}

test("the report's 85/15 split holds out 15 % of the images and of the positives", () => {
  const images = population();
  const rows = drawFolds(images, { holdout: 0.15, group: 'patient', seed: 42 });
  assert.deepEqual([...new Set(rows.map((row) => row.fold))].sort(), [-1, 0]);
  const held = new Set(rows.filter((row) => row.fold === 0).map((row) => row.imageId));
  const heldPositives = images.filter(({ id, positive }) => positive && held.has(id)).length;
  const positives = images.filter(({ positive }) => positive).length;
  assert.ok(Math.abs(held.size / images.length - 0.15) < 0.005);
  assert.ok(Math.abs(heldPositives / positives - 0.15) < 0.01);
  const small = images.filter(({ positive, maskArea }) => positive && maskArea < 700);
  const heldSmall = small.filter(({ id }) => held.has(id)).length;
  assert.ok(Math.abs(heldSmall / small.length - 0.15) < 0.02, 'small masks are held out as often');
});

test('another seed draws other folds', () => {
  const draw = (seed: number) => drawFolds(population(), { k: 5, group: 'patient', seed });
  assert.notDeepEqual(draw(1), draw(2));
});

test('impossible folds are refused', () => {
  const images = population().slice(0, 4);
  const draw = (options: object) => () => drawFolds(images, { group: 'none', seed: 1, ...options });
  assert.throws(draw({ k: 1 }), UserError);
  assert.throws(draw({ k: 2.5 }), UserError);
  assert.throws(draw({ k: 5 }), /at least 5 images.*4/);
  assert.throws(draw({ holdout: 1 }), /share between 0 and 1/);
  assert.throws(draw({ holdout: 0.001 }), /Fold 0 would be empty/);
  assert.throws(draw({ holdout: 0.2, k: 5 }), /not both/);
  assert.throws(draw({}), /holdout/);
});

test('a folds file reads back and is never overwritten', async () => {
  const path = join(folder.path, 'folds', 'a.csv');
  const rows = [
    { imageId: '1.2', fold: -1, patientId: 'anna, "the first"' },
    { imageId: '1.3', fold: 0, patientId: '' },
  ];
  await writeFolds(path, rows);
  assert.equal(await readFile(path, 'utf8'), 'image_id,fold,patient_id\n1.2,-1,"anna, ""the first"""\n1.3,0,\n');
  assert.deepEqual(await readFolds(path), rows);
  await assert.rejects(writeFolds(path, rows.slice(1)), /a\.csv exists.*another name/);
  assert.deepEqual(await readFolds(path), rows);
});

const BAD: [name: string, text: string, message: RegExp][] = [
  ['another header', 'id,fold\na,0\n', /the columns image_id,fold,patient_id for .*bad\.csv:1/],
  ['no image', 'image_id,fold,patient_id\n', /at least one image/],
  ['a fold that is no number', 'image_id,fold,patient_id\na,0,\nb,x,\n', /bad\.csv:3.*b,x,/],
  ['a fold below -1', 'image_id,fold,patient_id\na,-2,\n', /bad\.csv:2/],
  ['a missing column', 'image_id,fold,patient_id\na,0\n', /bad\.csv:2/],
  ['an image twice', 'image_id,fold,patient_id\na,0,\nb,0,\na,1,\n', /bad\.csv:4.*"a".*Line 2/],
];

for (const [name, text, message] of BAD) {
  test(`a folds file with ${name} is refused`, async () => {
    await put(folder.path, 'bad.csv', text);
    await assert.rejects(readFolds(join(folder.path, 'bad.csv')), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('an absent folds file says how to draw one', async () => {
  await assert.rejects(readFolds(join(folder.path, 'none.csv')), /none\.csv.*npm run folds/);
});

test('a fold splits a data set into indices', () => {
  const image = (id: string, labelled = true) => {
    return { id, set: 'stage1-train' as const, patientId: '', truth: labelled ? new Int32Array() : undefined };
  };
  const images = [image('a'), image('b'), image('c', false), image('d'), image('e')];
  const rows = [
    { imageId: 'd', fold: 1, patientId: '' },
    { imageId: 'a', fold: 0, patientId: '' },
    { imageId: 'b', fold: -1, patientId: '' },
  ];
  assert.deepEqual(splitFold(rows, images, 0), { train: [1, 3], validation: [0], unassigned: [4] });
  assert.deepEqual(splitFold(rows, images, 1), { train: [0, 1], validation: [3], unassigned: [4] });
  assert.throws(() => splitFold(rows, images, 2), /one of the folds 0, 1 for data\.fold but received 2/);
  assert.throws(() => splitFold(rows, images, -1), UserError);
  const strange = { imageId: 'z', fold: 0, patientId: '' };
  assert.throws(() => splitFold([...rows, strange], images, 0), /only images of the data set.*"z".*one of 1/);
  const unlabelled = { imageId: 'c', fold: 0, patientId: '' };
  assert.throws(() => splitFold([...rows, unlabelled], images, 0), /only labelled images.*"c"/);
  assert.throws(() => splitFold([rows[1]!], images, 0), /images outside/);
});
