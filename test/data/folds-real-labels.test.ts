import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import { areaOfRuns } from '../../src/core/rle.ts';
import { type DrawOptions, drawFolds, type FoldImage, type FoldRow } from '../../src/data/folds.ts';
import { readLabels } from '../../src/data/labels.ts';
import { findLeakage } from '../../src/data/leakage.ts';
import { temporaryFolder } from './fixture-competition.ts';
import { readRealLabelFile } from './real-label-file.ts';

// The real map of images to patients is not at hand; this one has its known figures: 6,171 patients, 7,828 images that
// share one, and P(positive | another image of the patient is positive) = 0.56 against 0.22.
const PATIENTS = 6171;
const SHARING = 7828;

let images: FoldImage[];
before(async () => {
  const folder = await temporaryFolder();
  try {
    const path = join(folder.path, 'train-rle.csv');
    await writeFile(path, await readRealLabelFile());
    const { truth } = await readLabels(path);
    images = withPatients([...truth].map(([id, runs]) => ({ id, maskArea: areaOfRuns(runs) })));
  } finally {
    await folder.remove();
  }
});

/** Images that share no patient come first; the others fill patients of two and more, the positives close together. */
function withPatients(known: readonly { id: string; maskArea: number }[]): FoldImage[] {
  const rng = createRng(7, 'patients');
  // Sorted by a number that is lower for positives, images of one kind lie together, and so do their patients.
  const keyed = known.map((image) => ({ ...image, key: rng.uniform() * (image.maskArea > 0 ? 0.22 : 1) }));
  const alone = new Set(rng.shuffle(keyed).slice(0, keyed.length - SHARING));
  const sharing = keyed.filter((image) => !alone.has(image)).sort((a, b) => a.key - b.key);
  const shared = PATIENTS - alone.size;
  // Two images each, and the rest by a law with a long tail: some patients have dozens.
  const sizes = new Array<number>(shared).fill(2);
  for (let rest = SHARING - 2 * shared; rest > 0; rest--) {
    const at = Math.floor(shared * rng.uniform() ** 3);
    sizes[at]! += 1;
  }
  const owners = rng.shuffle(sizes).flatMap((size, patient) => new Array<string>(size).fill(`p${patient}`));
  const patients = new Map(sharing.map(({ id }, index) => [id, owners[index]!]));
  return keyed.map(({ id, maskArea }) => {
    return { id, maskArea, positive: maskArea > 0, patientId: patients.get(id) ?? `alone-${id}` };
  });
}

/** By how much a fold's share of positives, and the worst of its tenths of mask areas, differ from those of all. */
function differences(rows: readonly FoldRow[], fold: number) {
  const inFold = new Set(rows.filter((row) => row.fold === fold).map(({ imageId }) => imageId));
  const positives = images.filter(({ positive }) => positive).sort((a, b) => a.maskArea - b.maskArea);
  const own = positives.filter(({ id }) => inFold.has(id));
  const tenthsOf = Array.from({ length: 10 }, (_, n) => {
    const [from, to] = [n, n + 1].map((tenth) => Math.floor((tenth / 10) * positives.length));
    return positives.slice(from, to);
  });
  // How many images of each tenth are here, and how large a mask the fold's own tenths end with: both relative.
  const counts = tenthsOf.map((tenth) => {
    const here = tenth.filter(({ id }) => inFold.has(id)).length;
    return here / tenth.length / (inFold.size / images.length) - 1;
  });
  const limit = (some: readonly FoldImage[], tenth: number) => some[Math.floor((tenth / 10) * some.length)]!.maskArea;
  const areas = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tenth) => limit(own, tenth) / limit(positives, tenth) - 1);
  return {
    size: inFold.size / images.length,
    positive: own.length / inFold.size - positives.length / images.length,
    tenth: Math.max(...counts.map(Math.abs)),
    area: Math.max(...areas.map(Math.abs)),
  };
}

test('the synthetic patients are as the real ones', () => {
  const byPatient = new Map<string, FoldImage[]>();
  for (const image of images) byPatient.set(image.patientId, [...(byPatient.get(image.patientId) ?? []), image]);
  assert.equal(byPatient.size, PATIENTS);
  const shared = [...byPatient.values()].filter(({ length }) => length > 1);
  assert.equal(shared.flat().length, SHARING);
  const pairs = shared.flatMap((group) =>
    group.flatMap((one, i) => group.flatMap((other, j) => (i !== j && other.positive ? [one.positive] : []))),
  );
  const share = pairs.filter(Boolean).length / pairs.length;
  assert.ok(Math.abs(share - 0.56) < 0.02, `P(positive | another one is positive) is ${share}`);
});

const FIVE = [0, 1, 2, 3, 4];
const TEN = [...FIVE, 5, 6, 7, 8, 9];
const DRAWS: { options: DrawOptions; folds: number[] }[] = [
  { options: { k: 5, group: 'patient', seed: 42 }, folds: FIVE },
  { options: { k: 5, group: 'patient', seed: 1 }, folds: FIVE },
  // Of tenths with 27 masks each, where they end is easily a matter of chance.
  { options: { k: 10, group: 'patient', seed: 42 }, folds: TEN },
  { options: { k: 10, group: 'patient', seed: 2 }, folds: TEN },
  { options: { k: 10, group: 'none', seed: 42 }, folds: TEN },
  { options: { holdout: 0.15, group: 'patient', seed: 42 }, folds: [-1, 0] },
  { options: { holdout: 0.15, group: 'none', seed: 42 }, folds: [-1, 0] },
];
test('another seed is another draw', () => {
  const foldsBy = (seed: number) => drawFolds(images, { k: 10, group: 'none', seed }).map(({ fold }) => fold);
  const [one, other] = [foldsBy(1), foldsBy(2)];
  const same = images.filter(({ positive }, i) => positive && one[i] === other[i]).length;
  const positives = images.filter(({ positive }) => positive).length;
  assert.ok(same / positives < 0.2, `${same} of ${positives} positives are in the same fold of ten`);
});

for (const { options, folds } of DRAWS) {
  test(`folds of the real labels match: ${JSON.stringify(options)}`, () => {
    const rows = drawFolds(images, options);
    assert.deepEqual([...new Set(rows.map(({ fold }) => fold))].sort(), folds);
    for (const fold of folds) {
      const { size, positive, tenth, area } = differences(rows, fold);
      const wanted = fold === -1 ? 0.85 : (options.holdout ?? 1 / options.k!);
      assert.ok(Math.abs(size - wanted) < 0.001, `fold ${fold} has ${size} of the images`);
      assert.ok(Math.abs(positive) < 0.005, `positive share of fold ${fold} off by ${positive}`);
      assert.ok(tenth < 0.1, `a tenth of the areas in fold ${fold} off by ${tenth}`);
      assert.ok(area < 0.1, `limits of the tenths in fold ${fold} off by ${area}`);
    }
    const { patients } = findLeakage(rows);
    if (options.group === 'patient') assert.equal(patients, 0);
    else assert.ok(patients > 500, 'ungrouped, patients are on both sides');
  });
}
