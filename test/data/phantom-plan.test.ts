import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PhantomImage, planPhantom } from '../../src/data/phantom/plan.ts';

const plan = planPhantom(6000, 1);

/** Images by patient. */
function byPatient(images: readonly PhantomImage[]): PhantomImage[][] {
  const groups = new Map<string, PhantomImage[]>();
  for (const image of images) groups.set(image.patient.id, [...(groups.get(image.patient.id) ?? []), image]);
  return [...groups.values()];
}

test('the sets are in proportion, and 22 % of the labelled images of each are positive', () => {
  for (const [set, labelled] of [
    ['stage1-train', 6000],
    ['stage1-test', 6000 / 8],
    ['stage2-test', 6000 / 4],
  ] as const) {
    const images = plan.filter((image) => image.set === set && image.labelled);
    assert.equal(images.length, labelled);
    assert.equal(images.filter((image) => image.positive).length, Math.round(0.22 * labelled));
  }
});

test('a few images of stage 1 have no label, and none of stage 2', () => {
  const unlabelled = plan.filter((image) => !image.labelled);
  assert.equal(unlabelled.filter((image) => image.set === 'stage1-train').length, Math.round(6000 / 120));
  assert.equal(unlabelled.filter((image) => image.set === 'stage1-test').length, Math.round(6000 / 400));
  assert.equal(unlabelled.filter((image) => image.set === 'stage2-test').length, 0);
});

test('patients have about two images, in one set, and their status goes together as in the real data', () => {
  const groups = byPatient(plan);
  const mean = plan.length / groups.length;
  assert.ok(mean > 1.7 && mean < 2.1, `${mean}`);
  assert.ok(groups.every((group) => new Set(group.map((image) => image.set)).size === 1));
  // P(positive | another image of the patient is positive), over ordered pairs; 0.56 in the real data.
  let [both, first] = [0, 0];
  for (const group of groups) {
    const positives = group.filter((image) => image.positive).length;
    first += positives * (group.length - 1);
    both += positives * (positives - 1);
  }
  assert.ok(Math.abs(both / first - 0.56) < 0.08, `${both / first}`);
});

test('a small phantom has positives in every set and somebody with several images', () => {
  const small = planPhantom(4, 9);
  for (const set of ['stage1-train', 'stage1-test', 'stage2-test']) {
    const images = small.filter((image) => image.set === set);
    assert.ok(images.some((image) => image.positive));
    assert.ok(byPatient(images).some((group) => group.length > 1));
  }
});

test('ids are unique and UIDs are at most 64 characters', () => {
  assert.equal(new Set(plan.map((image) => image.id)).size, plan.length);
  for (const { sopUid, studyUid, seriesUid } of plan.slice(0, 100)) {
    for (const uid of [sopUid, studyUid, seriesUid]) assert.match(uid, /^2\.25\.[1-9]\d{0,38}$/);
  }
});
