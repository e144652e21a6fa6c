import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../src/core/errors.ts';
import { extendFolds } from '../../src/data/extend-folds.ts';
import { type DrawOptions, drawFolds, type FoldImage } from '../../src/data/folds.ts';
import { findLeakage } from '../../src/data/leakage.ts';

/** Images of up to 40 patients; a fifth is positive. */
function population(count: number, patients: number): FoldImage[] {
  return Array.from({ length: count }, (_, i): FoldImage => {
    const positive = i % 5 === 0;
    const patientId = i % 11 === 0 ? '' : `p${(i * 7) % patients}`;
    return { id: `i${i}`, patientId, positive, maskArea: positive ? 50 + ((i * 37) % 900) : 0 };
  });
}

test('who has a fold keeps it, line by line, and the patients of new images are not parted', () => {
  const draws = fc.constantFrom<DrawOptions[]>(
    { k: 5, group: 'patient', seed: 1 },
    { holdout: 0.15, group: 'patient', seed: 2 },
  );
  fc.assert(
    fc.property(
      draws,
      fc.integer({ min: 80, max: 199 }),
      fc.integer({ min: 20, max: 120 }),
      (options, before, patients) => {
        const all = population(200, patients);
        const rows = drawFolds(all.slice(0, before), options);
        const extended = extendFolds(rows, all, options);
        assert.deepEqual(extended.slice(0, before), rows);
        assert.deepEqual(
          extended.map(({ imageId }) => imageId),
          all.map(({ id }) => id),
        );
        assert.deepEqual(
          [...new Set(extended.map(({ fold }) => fold))].sort(),
          [...new Set(rows.map((r) => r.fold))].sort(),
        );
        assert.equal(findLeakage(extended).patients, 0);
        assert.deepEqual(extendFolds(rows, all, options), extended);
      },
    ),
    { numRuns: 40 },
  );
});

test('new patients keep the shares: of images and of positives', () => {
  const all = population(3000, 1000);
  const rows = drawFolds(all.slice(0, 2000), { holdout: 0.15, group: 'patient', seed: 3 });
  const held = new Set(
    extendFolds(rows, all, { group: 'patient', seed: 3 }).flatMap((row) => (row.fold === 0 ? [row.imageId] : [])),
  );
  assert.ok(Math.abs(held.size / 3000 - 0.15) < 0.005, `${held.size} of 3000`);
  const positives = all.filter(({ positive }) => positive);
  const heldPositives = positives.filter(({ id }) => held.has(id)).length;
  assert.ok(Math.abs(heldPositives / positives.length - 0.15) < 0.005, `${heldPositives} of ${positives.length}`);
});

test('a patient that the old folds parted already goes where most of its images are', () => {
  const image = (id: string): FoldImage => ({ id, patientId: 'anna', positive: false, maskArea: 0 });
  const rows = [
    { imageId: 'a', fold: 0, patientId: 'anna' },
    { imageId: 'b', fold: 1, patientId: 'anna' },
    { imageId: 'c', fold: 1, patientId: 'anna' },
  ];
  const extended = extendFolds(rows, ['a', 'b', 'c', 'd'].map(image), { group: 'patient', seed: 1 });
  assert.deepEqual(extended, [...rows, { imageId: 'd', fold: 1, patientId: 'anna' }]);
});

test('nothing to add, and patients of other names, are refused', () => {
  const all = population(60, 30);
  const rows = drawFolds(all, { k: 2, group: 'patient', seed: 1 });
  const extend = (images: readonly FoldImage[]) => () =>
    extendFolds(rows.slice(0, 50), images, { group: 'patient', seed: 1 });
  assert.throws(
    extend(all.slice(0, 50)),
    /labelled images that have no fold yet for extend but received "none".*stage=2/,
  );
  const renamed = all.map((one) => ({ ...one, patientId: `n-${one.patientId}` }));
  assert.throws(extend(renamed), (error: Error) => error instanceof UserError && /patients=/.test(error.message));
  assert.throws(extend(all.slice(10)), /only labelled images.*"i0".*one of 10/);
});
