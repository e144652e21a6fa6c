import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { augmentConfig } from '../../../src/augment/index.ts';
import { listComparisons, SIDE, type Transform } from '../../../src/commands/bench/augment/comparisons.ts';
import { writeBenchImages } from '../../../src/commands/bench/augment/images.ts';
import { openOurs } from '../../../src/commands/bench/augment/measure.ts';
import { type AugmentRow, augmentReport, isReached, ratioOf } from '../../../src/commands/bench/augment/report.ts';
import { benchAugment } from '../../../src/commands/bench/augment.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';

const comparisons = listComparisons();

test('the list is the kernels’ on both sides, probability by probability', () => {
  const { ours, theirs } = comparisons[0]!;
  const shape = (steps: readonly { name: string; p: number; steps?: readonly { name: string }[] }[]) =>
    steps.map(({ p, steps: inner }) => [p, inner?.length ?? 1]);
  const theirShape = (transforms: readonly Transform[]) =>
    transforms.map(({ keys, transforms: inner }) => [keys.p, inner?.length ?? 1]);
  const wanted = [
    [0.5, 1],
    [0.3, 3],
    [0.3, 3],
    [0.5, 1],
  ];
  assert.deepEqual(shape(ours), wanted);
  assert.deepEqual(theirShape(theirs), wanted);
});

test('every step is compared but those that are put together of others', () => {
  const alone = comparisons.filter(({ goal }) => !goal).map(({ ours }) => ours[0]!.name);
  const names = augmentConfig.options.map((option) => option.shape.name.value);
  const missing = names.filter((name) => !alone.includes(name));
  assert.deepEqual(missing.sort(), ['brightness_contrast', 'one_of']);
  assert.ok(comparisons.every(({ goal, ours }) => goal || ours[0]!.p === 1));
});

test('ours are measured on images and masks that lie in a file for both', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-augment-'));
  try {
    const images = await writeBenchImages(folder);
    const area = SIDE * SIDE;
    const masks = Array.from({ length: images.count }, (_, i) =>
      images.bytes.subarray((2 * i + 1) * area, (2 * i + 2) * area),
    );
    assert.deepEqual(
      images.masked,
      [...masks.keys()].filter((i) => masks[i]!.includes(1)),
    );
    assert.ok(images.masked.length > 0.1 * images.count && images.masked.length < 0.35 * images.count);
    assert.ok((await readFile(images.path)).equals(images.bytes));
    const [flip] = comparisons.filter(({ title }) => title === '`hflip`');
    const made = await openOurs([flip!], images).measure(0, 0.05);
    assert.ok(made.seconds >= 0.05 && made.images >= 16 && made.images % 16 === 0, JSON.stringify(made));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the goal is half of albumentations’ images for every line of the list', () => {
  const row = (title: string, goal: boolean, ours: number, theirs: number): AugmentRow => ({
    title,
    goal,
    ours,
    theirs,
  });
  const rows = [row('the list', true, 120, 200), row('with masks', true, 100, 200), row('`blur`', false, 10, 1000)];
  assert.equal(ratioOf(rows[0]!), 0.6);
  assert.equal(isReached(rows), true);
  assert.equal(isReached([...rows, row('another', true, 99, 200)]), false);
  const machine = { processor: 'a processor', cores: 2, memory_gb: 24, system: 'a system' };
  const head = {
    command: 'npm run bench augment',
    date: '2019-09-01',
    machine,
    rounds: 3,
    seconds: 1,
    versions: { opencv: '5' },
  };
  const report = augmentReport(head, rows);
  assert.match(report, /\| the list \| 120 \| 200 \| 0\.60 \| reached \|/);
  assert.match(report, /\| `blur` \| 10\.0 \| 1000 \| 0\.01 \| +\|/);
  assert.match(report, /\*\*0\.50 times\*\*[^.]*images\s+per second and core \(goal: at least 0\.5, reached\)/);
  assert.match(report, /opencv 5/);
});

test('wrong values are refused by key', async () => {
  const args = { words: [], cwd: '.', signal: new AbortController().signal };
  await assert.rejects(benchAugment({ ...args, values: { rounds: '0' } }, silentTerminal), /whole number.*rounds/);
  await assert.rejects(benchAugment({ ...args, values: { seconds: 'x' } }, silentTerminal), /whole number.*seconds/);
});
