import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MASK_SIZE } from '../../../src/core/competition.ts';
import { createRng } from '../../../src/core/random.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';
import type { TruthImage } from '../../../src/predict/probability-source.ts';
import { buildSubmission } from '../../../src/submit/build.ts';
import { tunedOtherwise } from '../../../src/submit/members.ts';
import { planSubmission } from '../../../src/submit/plan.ts';
import { tunePage } from '../../../src/submit/tune/page.ts';
import { planTune } from '../../../src/submit/tune/plan.ts';
import { idleSteps, tuneReport } from '../../../src/submit/tune/report.ts';
import { type Grid, STEPS, type Step } from '../../../src/submit/tune/space.ts';
import { tabulateStores } from '../../../src/submit/tune/tabulate-images.ts';
import { tune } from '../../../src/submit/tune/tune.ts';
import { readInput } from '../../../src/submit/tune/tune-images.ts';
import { checkInBrowser } from '../../pages/browser.ts';
import { checkPage } from '../../pages/check-page.ts';
import { type Fixture, type FixtureRun, makeFixture } from '../fixture.ts';
import { blocksMap, blockTruth, tabulateInputs } from './synthetic-images.ts';

const SIDE = 64;
/** Areas are of masks at this side, where no submission is built of what is found. */
const SMALL = 128;
const SMALL_GRID: Grid = {
  ...{ thresholds: [0.3, 0.5, 0.7], areas: [0, 20, 100, 500, 6000], largest: 1, gateParts: 10 },
  ...{ tripletScores: [0.7], tripletAreas: [0, 1000] },
};

let fixture: Fixture;
before(async () => {
  fixture = await makeFixture();
});
after(() => rm(fixture.folder, { recursive: true }));

/** Every third image is empty and has a dim false mask; every image has a small bright island. Two images of a patient each. */
function makeRun(seed: number, count = 24, size = SMALL): FixtureRun & { truth: TruthImage[] } {
  const rng = createRng(seed, 'tune');
  const maps: Record<string, Uint8Array> = {};
  const truth: TruthImage[] = [];
  for (let place = 0; place < count; place++) {
    const id = `i${place}`;
    const body = { x: rng.integer(12, 30), y: rng.integer(12, 30), width: 14, height: 10 + (place % 5) };
    const island = { x: 2, y: 2, width: 4, height: 4, byte: 200 };
    const positive = place % 3 > 0;
    maps[id] = blocksMap(SIDE, [island, { ...body, byte: positive ? rng.integer(215, 255) : rng.integer(150, 190) }]);
    const scale = size / SIDE;
    const scaled = { x: body.x * scale, y: body.y * scale, width: body.width * scale, height: body.height * scale };
    const mask = positive ? blockTruth(size, scaled) : new Int32Array(0);
    truth.push({ id, truth: mask, patient: `p${Math.floor(place / 2)}` });
  }
  return { resolution: SIDE, maps, truth };
}

async function trainedOn(run: string, images: readonly string[], unknown: readonly string[] = []) {
  const dir = join(fixture.folder, 'runs', run);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'trained-on.json'), JSON.stringify({ images, unknown }));
}

const ONE = 'name: one\nmembers:\n  - { run: r }\n';
const signal = new AbortController().signal;

async function tuneOn(text: string, runs: Record<string, FixtureRun>, steps?: Step[], size = SMALL) {
  const source = fixture.source(runs);
  const plan = await planTune(await fixture.submission(text), steps, source, silentTerminal);
  const options = { source, parts: 4, seed: 1, size, grid: SMALL_GRID, signal };
  return { plan, result: await tune(plan, options, silentTerminal), source };
}

test('what is tuned is what a submission by reference then scores, and the page says it', async (t) => {
  await trainedOn('r', ['elsewhere']);
  const run = makeRun(1, 24, MASK_SIZE);
  const steps: Step[] = ['threshold', 'min_component_area', 'gate'];
  const { plan, result, source } = await tuneOn(ONE, { r: run }, steps, MASK_SIZE);
  const report = tuneReport(plan, result, { name: 'one', seed: 1, grid: SMALL_GRID });
  assert.deepEqual([report.images, report.positives, report.patients], [24, 16, 12]);
  assert.deepEqual(
    report.rungs.map(({ step }) => step),
    ['plain', 'threshold', 'min_component_area', 'gate'],
  );
  // Islands go by their area, false masks by the gate: what is left is the blur of the mask's edge.
  assert.ok(report.optimistic > 0.97 && report.dice.mean > 0.96, `${report.optimistic}, ${report.dice.mean}`);
  assert.ok(report.postprocess.min_component_area > 4000, String(report.postprocess.min_component_area));
  assert.equal(report.rungs.at(-1)!.gain!.probability > 0.99, true);
  assert.ok(report.limits.perfect_gate.mean >= report.dice.mean - 1e-12);
  assert.ok(report.limits.perfect_segmenter.mean >= report.dice.mean);
  assert.equal(report.parts.length, 4);
  const patientsOf = (part: number) =>
    plan.images.filter((_, i) => result.parts[i] === part).map((each) => each.patient);
  assert.equal(new Set([0, 1, 2, 3].flatMap((part) => [...new Set(patientsOf(part))])).size, 12);
  assert.equal([0, 1, 2, 3].flatMap((part) => [...new Set(patientsOf(part))]).length, 12, 'no patient in two parts');

  const file = join(fixture.folder, 'tune-one.json');
  await writeFile(file, JSON.stringify(report));
  const submission = await fixture.submission(`${ONE}postprocess: { from: ${file} }\n`);
  const options = { source, folder: fixture.submissions, stamp: '20190930-000000' };
  const submitPlan = await planSubmission(submission, 'oof', options);
  const built = await buildSubmission(submitPlan, { source, commit: undefined, signal }, silentTerminal);
  assert.ok(Math.abs(built.score!.dice - report.optimistic) < 1e-12, `${built.score!.dice} and ${report.optimistic}`);
  const manifest = JSON.parse(await readFile(built.manifest, 'utf8'));
  assert.equal(manifest.tuned.file, 'tune-one.json');
  assert.equal(tunedOtherwise(submission, submitPlan.members), undefined);
  assert.match(
    tunedOtherwise({ ...submission, tta: ['none', 'hflip'] }, submitPlan.members)!,
    /on the views none: its/,
  );

  const page = await tunePage(report, 'reports/tune-one.json');
  checkPage(page);
  await checkInBrowser(t, page);
  for (const words of ['Least area of a component', 'from: reports/tune-one.json', 'Perfect gate', 'part 4']) {
    assert.ok(page.includes(words), words);
  }
});

test('weights are found and brought along by reference; words by hand are laid over', async () => {
  await trainedOn('r', []);
  await trainedOn('s', []);
  const run = makeRun(2);
  const noise = makeRun(3);
  const two = 'name: two\nmembers:\n  - { run: r }\n  - { run: s, checkpoint: last }\n';
  const { plan, result } = await tuneOn(two, { r: run, s: { ...noise, truth: run.truth } }, ['weights', 'threshold']);
  const report = tuneReport(plan, result, { name: 'two', seed: 1, grid: SMALL_GRID });
  assert.ok(report.weights[0]! > report.weights[1]!, String(report.weights));
  const file = join(fixture.folder, 'tune-two.json');
  await writeFile(file, JSON.stringify(report));
  const weightsOf = async (text: string) => (await fixture.submission(text)).members.map(({ weight }) => weight);
  assert.deepEqual(await weightsOf(`${two}postprocess: { from: ${file} }\n`), report.weights);
  const other = two.replace('{ run: s, checkpoint: last }', '{ run: s, checkpoint: last, weight: 5 }');
  assert.deepEqual(await weightsOf(`${other}postprocess: { from: ${file} }\n`), [1, 5]);
  const byHand = await fixture.submission(`${two}postprocess: { from: ${file}, threshold: 0.123 }\n`);
  assert.equal(byHand.postprocess.threshold, 0.123);
  assert.match((await page(report)).replaceAll(/\s+/g, ' '), /it brings their weights too/);
});

const page = (report: Parameters<typeof tunePage>[0]) => tunePage(report, 'reports/tune-two.json');

test('members of different folds count where they were validated; their weights are not tuned', async () => {
  await trainedOn('r', ['i30']);
  await trainedOn('s', ['i0']);
  const all = makeRun(4, 48);
  const half = (from: number, to: number): FixtureRun => {
    const truth = all.truth.slice(from, to);
    return { ...all, truth, maps: Object.fromEntries(truth.map(({ id }) => [id, all.maps[id]!])) };
  };
  const two = 'name: folds\nmembers:\n  - { run: r }\n  - { run: s }\n';
  const { plan, result } = await tuneOn(two, { r: half(0, 24), s: half(24, 48) }, ['threshold']);
  assert.equal(plan.images.length, 48);
  assert.equal(result.fit.honest.dice.length, 48);
  const wants = tuneOn(two, { r: half(0, 24), s: half(24, 48) }, ['weights']);
  await assert.rejects(wants, /several members that were validated on the same images for steps: weights/);
  const { plan: free } = await tuneOn(two, { r: half(0, 24), s: half(24, 48) });
  assert.deepEqual(
    free.steps,
    STEPS.filter((step) => step !== 'weights'),
  );
});

test('images that the network was trained on are refused, and a run without a record warned of', async () => {
  await trainedOn('r', ['i5', 'i7', 'other']);
  await assert.rejects(
    tuneOn(ONE, { r: makeRun(5) }),
    /validation images that .*-r and the runs before it were not trained on for tuning but received "2 of 24 that they were"/,
  );
  const warnings: string[] = [];
  const terminal = { ...silentTerminal, warn: (line: string) => void warnings.push(line) };
  await planTune(
    await fixture.submission(ONE.replace('run: r', 'run: t')),
    undefined,
    fixture.source({ t: makeRun(5) }),
    terminal,
  );
  assert.match(warnings.join(), /-t: no record of the images/);
  await trainedOn('r', []);
  const gated = `${ONE}postprocess: { gate: { run: g, statistic: max, threshold: 0.5 } }\n`;
  const elsewhere = tuneOn(gated, { r: makeRun(5), g: makeRun(5, 12) });
  await assert.rejects(
    elsewhere,
    /the 24 images that the members were validated on for the gate's run .*-g but received "12/,
  );
});

test('a gate by another run is tuned on that run’s evidence and named in what is found', async () => {
  await trainedOn('r', []);
  await trainedOn('g', []);
  const run = makeRun(6, 30);
  const presences = Object.fromEntries(
    run.truth.map(({ id, truth }, i) => [id, truth.length > 0 ? 0.6 + i / 100 : 0.2]),
  );
  const text = `${ONE}postprocess: { gate: { run: g, threshold: 0.9 } }\n`;
  const { plan, result } = await tuneOn(text, { r: run, g: { ...run, presences } }, ['min_component_area', 'gate']);
  const { postprocess, limits, optimistic } = tuneReport(plan, result, { name: 'g', seed: 1, grid: SMALL_GRID });
  const { gate } = postprocess;
  assert.deepEqual([gate!.run, gate!.checkpoint, gate!.statistic], ['g', 'best-dice', 'presence']);
  assert.ok(gate!.threshold > 0.2 && gate!.threshold <= 0.62, String(gate!.threshold));
  assert.ok(Math.abs(limits.perfect_gate.mean - optimistic) < 0.05);
});

test('steps that gain nothing on other images are named, with those that are left', () => {
  const gain = (mean: number) => ({ mean, low: -1, high: 1, probability: 0.5 });
  const dice = { mean: 0.8, low: 0.7, high: 0.9 };
  const rungs = [
    { step: 'plain' as const, dice, optimistic: 0.8, gain: undefined },
    { step: 'tta' as const, dice, optimistic: 0.8, gain: gain(-0.1) },
    { step: 'threshold' as const, dice, optimistic: 0.8, gain: gain(0.01) },
    { step: 'fill_holes' as const, dice, optimistic: 0.8, gain: gain(0) },
    { step: 'gate' as const, dice, optimistic: 0.8, gain: gain(-0.01) },
  ];
  const found = idleSteps({ rungs, steps: ['threshold', 'fill_holes', 'gate'] });
  assert.deepEqual(found, { idle: ['fill_holes', 'gate'], others: ['threshold'] });
});

test('threads tabulate what is tabulated here', async () => {
  const run = makeRun(8, 70);
  const store = await fixture
    .source({ r: run })
    .probabilitiesOf({ run: 'r', checkpoint: 'last', weight: 1 }, ['none'], 'oof');
  const images = run.truth.map(({ id, truth }) => ({ id, truth, patient: '', voters: [0] }));
  const stores = { stores: [store], gateStore: undefined };
  const kinds = [{ statistic: 'max' as const }];
  const options = { kinds, size: SMALL, average: 'probabilities' as const, terminal: silentTerminal, signal };
  const byThreads = await tabulateStores(images, stores, options)([[1]], [0.3, 0.7]);
  const inputs = images.map((image) => readInput(image, stores));
  assert.deepEqual(byThreads, await tabulateInputs(inputs, kinds, SMALL)([[1]], [0.3, 0.7]));
  store.close();
});

test('too few patients for the parts, and a report that is none, are said', async () => {
  await trainedOn('r', []);
  await assert.rejects(tuneOn(ONE, { r: makeRun(7, 6) }), /at least 4 patients for tuning in 4 parts but received 3/);
  const none = fixture.submission(`${ONE}postprocess: { from: reports/tune-none.json }\n`);
  await assert.rejects(none, /submission\.yml:4: postprocess\.from .*ENOENT.*npm run tune/s);
  await writeFile(join(fixture.folder, 'no.json'), '{}');
  const wrong = fixture.submission(`${ONE}postprocess: { from: ${join(fixture.folder, 'no.json')} }\n`);
  await assert.rejects(wrong, /a tuning report for/);
});
