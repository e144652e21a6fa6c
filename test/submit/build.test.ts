import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { sha256, sha256File } from '../../src/core/atomic-file.ts';
import { parseRle } from '../../src/core/rle.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { scoreImage, summariseScores } from '../../src/metrics/dice.ts';
import { postprocessConfig } from '../../src/postprocess/index.ts';
import type { ProbabilitySource } from '../../src/predict/probability-source.ts';
import { buildSubmission } from '../../src/submit/build.ts';
import { encodeMask } from '../../src/submit/encode-mask.ts';
import { encodeMasks } from '../../src/submit/encode-masks.ts';
import { planSubmission, type SubmissionStage } from '../../src/submit/plan.ts';
import { type Fixture, type FixtureRun, makeFixture, squareMap } from './fixture.ts';

const ONE = 'name: one\nmembers:\n  - { run: r }\n';
const TWO = 'name: two\nmembers:\n  - { run: r }\n  - { run: s, weight: 3 }\n';
const STAMP = '20190901-101500';

/** At 1024 the maps are taken as they are, so every pixel is known. */
const BLOCK = squareMap(1024, 2, 4);
const NOTHING = new Uint8Array(1024 * 1024);
const RUN: FixtureRun = { resolution: 1024, maps: { a: NOTHING, b: BLOCK, c: NOTHING } };
/** Column 2, rows 2 and 3; then row 2 of column 3, which is 1024 − 2 pixels on. */
const BLOCK_RLE = `${2 * 1024 + 2} 2 1022 2`;

let fixture: Fixture;
before(async () => {
  fixture = await makeFixture();
});
after(() => rm(fixture.folder, { recursive: true }));

async function build(text: string, source: ProbabilitySource, stage: SubmissionStage = 1, stamp = STAMP) {
  const submission = await fixture.submission(text);
  const plan = await planSubmission(submission, stage, { source, folder: fixture.submissions, stamp });
  return await buildSubmission(
    plan,
    { source, commit: 'abc123', signal: new AbortController().signal },
    silentTerminal,
  );
}

test('the sample gives ids, order and multiplicity; the CSV has a header, LF and no byte order mark', async () => {
  const built = await build(ONE, fixture.source({ r: RUN }));
  assert.equal(basename(built.csv), '20190901-101500-one-stage1.csv');
  assert.equal(
    await readFile(built.csv, 'utf8'),
    `ImageId,EncodedPixels\nb,${BLOCK_RLE}\na,-1\nc,-1\nb,${BLOCK_RLE}\n`,
  );
  assert.deepEqual([built.rows, built.positives, built.score], [4, 1, undefined]);
});

test('the manifest says what the CSV was made of, and the zip holds both', async () => {
  const built = await build(TWO, fixture.source({ r: RUN, s: RUN }), 1, '20190902-000000');
  const manifest = JSON.parse(await readFile(built.manifest, 'utf8'));
  const member = (run: string, weight: number) => ({
    run,
    run_id: `20190901-101500-${run}`,
    checkpoint: 'best-dice',
    checkpoint_id: 'epoch-0001',
    checkpoint_sha256: 'c0ffee',
    weight,
    resolution: 1024,
    data_digest: 'd1ge57',
    architecture: `network ${run}`,
  });
  assert.deepEqual(manifest, {
    name: 'two',
    stage: 1,
    stamp: '20190902-000000',
    csv: { file: basename(built.csv), sha256: await sha256File(built.csv), rows: 4, positives: 1 },
    sample: { file: 'sample_submission.csv', sha256: await sha256File(join(fixture.root, 'sample_submission.csv')) },
    members: [member('r', 1), member('s', 3)],
    architecture: sha256('network r\nnetwork s'),
    tta: ['none'],
    postprocess: { average: 'probabilities', threshold: 0.5, fill_holes: false, min_component_area: 0 },
    commit: 'abc123',
  });
  const zip = await readFile(built.zip);
  for (const file of [built.csv, built.manifest]) {
    assert.ok(zip.includes(basename(file)) && zip.includes(await readFile(file)), `${basename(file)} is in the zip`);
  }
});

test('the same inputs and stamp give the same bytes, and what exists is never overwritten', async () => {
  const source = fixture.source({ r: RUN });
  const digests = async () => {
    const built = await build(ONE, source, 2, '20190903-000000');
    const files = [built.csv, built.manifest, built.zip];
    const found = await Promise.all(files.map((file) => sha256File(file)));
    await assert.rejects(build(ONE, source, 2, '20190903-000000'), /one-stage2\.csv exists.*never overwritten/);
    assert.deepEqual(await Promise.all(files.map((file) => sha256File(file))), found);
    for (const file of files) await rm(file);
    return found;
  };
  const first = await digests();
  assert.deepEqual(await digests(), first);
});

test('members of different resolutions are weighed: (1·255 + 3·w) / 4 crosses 0.5 between w = 85 and 86', async () => {
  for (const [byte, positives] of [
    [84, 0], // (255 + 252) / 4 = 126.75 → 0.497
    [86, 3], // (255 + 258) / 4 = 128.25 → 0.503
  ] as const) {
    const flat = (resolution: number, value: number) => {
      const map = new Uint8Array(resolution ** 2).fill(value);
      return { resolution, maps: { a: map, b: map, c: map } };
    };
    const built = await build(TWO, fixture.source({ r: flat(32, 255), s: flat(64, byte) }), 1, `20190904-0000${byte}`);
    assert.equal(built.positives, positives);
  }
});

test('post-processing is the submission’s own', async () => {
  const source = fixture.source({ r: { resolution: 1024, maps: { c: BLOCK } } });
  const kept = await build(`${ONE}postprocess: { min_component_area: 3 }\n`, source, 2, '20190905-000003');
  const gone = await build(`${ONE}postprocess: { min_component_area: 4 }\n`, source, 2, '20190905-000004');
  assert.deepEqual([kept.positives, gone.positives], [1, 0]);
});

test('stage=oof scores the validation images as validation does, and packs them too', async () => {
  const truth = [
    { id: 'a', truth: parseRle('-1', 'a') },
    { id: 'b', truth: parseRle(`${2 * 1024 + 2} 2`, 'b') },
  ];
  const source = fixture.source({ r: { ...RUN, truth } });
  const built = await build(ONE, source, 'oof');
  // b: 4 pixels predicted, 2 true, 2 in common.
  const dice = (1 + (2 * 2) / (4 + 2)) / 2;
  assert.deepEqual(
    built.score,
    summariseScores([
      scoreImage('a', parseRle('-1', 'a'), truth[0]!.truth),
      scoreImage('b', parseRle(BLOCK_RLE, 'b'), truth[1]!.truth),
    ]),
  );
  assert.ok(Math.abs(built.score!.dice - dice) < 1e-12);
  assert.equal(await readFile(built.csv, 'utf8'), `ImageId,EncodedPixels\na,-1\nb,${BLOCK_RLE}\n`);
  const manifest = JSON.parse(await readFile(built.manifest, 'utf8'));
  assert.deepEqual([manifest.stage, manifest.sample, manifest.score], ['oof', null, built.score]);
  assert.deepEqual(source.opened, ['oof']);
});

/** Runs a build that must fail, and proves that it left no file. */
async function refusal(text: string, source: ProbabilitySource, stage: SubmissionStage = 1): Promise<Error> {
  const files = () => (existsSync(fixture.submissions) ? readdir(fixture.submissions) : []);
  const before = await files();
  const error = await build(text, source, stage, '20191231-000000').then(
    () => assert.fail('it was built'),
    (thrown: Error) => thrown,
  );
  assert.deepEqual(await files(), before);
  return error;
}

test('an image without probabilities is named, with its line in the sample', async () => {
  const error = await refusal(ONE, fixture.source({ r: { ...RUN, maps: { b: BLOCK } } }));
  assert.match(error.message, /every image of .*sample_submission\.csv but 2 have none, the first being a \(line 2\)/);
});

test('a missing checkpoint, other data roots and a missing sample stop before anything is predicted', async () => {
  const missing = fixture.source({ r: RUN });
  assert.match((await refusal(TWO, missing)).message, /Expected a checkpoint that the run has/);
  const elsewhere = fixture.source({ r: RUN, s: { ...RUN, dataRoot: '/elsewhere' } });
  assert.match((await refusal(TWO, elsewhere)).message, /Expected runs on one data root .* but received "\/elsewhere"/);
  const empty = fixture.source({ r: { ...RUN, dataRoot: join(fixture.folder, 'no') } });
  assert.match((await refusal(ONE, empty)).message, /Expected a label file for .*sample_submission\.csv/);
  assert.deepEqual([missing.opened, elsewhere.opened, empty.opened], [[], [], []]);
});

test('members that were validated on other images cannot be scored together', async () => {
  const truth = ['a', 'b', 'c'].map((id) => ({ id, truth: new Int32Array(0) }));
  const source = fixture.source({ r: { ...RUN, truth }, s: { ...RUN, truth: truth.slice(1) } });
  assert.match(
    (await refusal(TWO, source, 'oof')).message,
    /the 3 validation images of .*-r for .*-s but received "2 of/,
  );
});

test('stage=oof scores a set of folds on all images, each by the one that did not see it', async () => {
  const image = (id: string) => ({ id, truth: new Int32Array(0) });
  const inside = squareMap(4, 0, 4);
  const fold = (id: string, map: Uint8Array) => ({ ...RUN, resolution: 4, maps: { [id]: map }, truth: [image(id)] });
  const source = fixture.source({ r: fold('a', inside), s: fold('b', squareMap(4, 0, 0)) });
  const built = await build(TWO, source, 'oof', '20190905-000009');
  // All of a is predicted inside where nothing is, of b nothing.
  assert.equal(built.score!.dice, 0.5);
  const lines = (await readFile(built.csv, 'utf8')).trim().split('\n');
  assert.deepEqual(lines.slice(1), ['a,0 1048576', 'b,-1']);
});

test('what fails midway leaves nothing: predicting, a signal, a folder that is a file', async () => {
  const source = fixture.source({ r: RUN });
  const broken = { ...source, probabilitiesOf: () => Promise.reject(new Error('out of memory')) };
  assert.match((await refusal(ONE, broken)).message, /out of memory/);
  const plan = await planSubmission(await fixture.submission(ONE), 1, {
    source,
    folder: fixture.submissions,
    stamp: '20191231-000001',
  });
  const signal = AbortSignal.abort(new Error('Stopped by SIGINT.'));
  await assert.rejects(buildSubmission(plan, { source, commit: undefined, signal }, silentTerminal), /SIGINT/);
  assert.equal(existsSync(plan.files.csv), false);
  const file = join(fixture.folder, 'a-file');
  await writeFile(file, '');
  const files = { ...plan.files, csv: join(file, 'x.csv') };
  const options = { source, commit: undefined, signal: new AbortController().signal };
  await assert.rejects(buildSubmission({ ...plan, files }, options, silentTerminal), /Cannot write .*a-file/);
  assert.equal(existsSync(plan.files.manifest), false);
});

test('a CSV that does not read back as asked for is taken away with its companions', async () => {
  const source = fixture.source({ r: { resolution: 1024, maps: { 'a ': BLOCK } } });
  const options = { source, folder: fixture.submissions, stamp: '20191231-000002' };
  const plan = await planSubmission(await fixture.submission(ONE), 1, options);
  // An id that no dialect can carry: spaces around it are dropped when it is read.
  const wanted = { name: 'sample.csv', rows: [{ id: 'a ', line: 1 }] };
  const { signal } = new AbortController();
  await assert.rejects(
    buildSubmission({ ...plan, wanted }, { source, commit: undefined, signal }, silentTerminal),
    /one-stage1\.csv:2 but received "a"/,
  );
  for (const path of Object.values(plan.files)) assert.equal(existsSync(path), false, path);
});

test('files that appeared while predicting are not overwritten', async () => {
  const source = fixture.source({ r: RUN });
  const options = { source, folder: fixture.submissions, stamp: '20191231-000003' };
  const plan = await planSubmission(await fixture.submission(ONE), 1, options);
  await writeFile(plan.files.zip, 'another');
  const { signal } = new AbortController();
  await assert.rejects(buildSubmission(plan, { source, commit: undefined, signal }, silentTerminal), /zip exists/);
  assert.equal(await readFile(plan.files.zip, 'utf8'), 'another');
  assert.equal(existsSync(plan.files.csv), false);
});

test('the bytes of a CSV are those of its manifest', async () => {
  const built = await build(ONE, fixture.source({ r: RUN }), 1, '20190916-000000');
  const { csv } = JSON.parse(await readFile(built.manifest, 'utf8'));
  assert.equal(csv.sha256, sha256(await readFile(built.csv)));
});

test('a gate empties images whose presence is below it, and wants a member that knows of presence', async () => {
  const maps = { a: BLOCK, b: BLOCK, c: BLOCK };
  const presences = { a: 0.2, b: 0.7, c: 0.5 };
  const gated = `${ONE}postprocess: { gate: 0.5 }\n`;
  const built = await build(gated, fixture.source({ r: { ...RUN, maps, presences } }), 1, '20190926-000000');
  assert.equal(
    await readFile(built.csv, 'utf8'),
    `ImageId,EncodedPixels\nb,${BLOCK_RLE}\na,-1\nc,${BLOCK_RLE}\nb,${BLOCK_RLE}\n`,
  );
  const { postprocess } = JSON.parse(await readFile(built.manifest, 'utf8'));
  assert.deepEqual(postprocess.gate, { statistic: 'presence', threshold: 0.5 });
  const source = fixture.source({ r: { ...RUN, maps } });
  await assert.rejects(build(gated, source, 1, '20190926-000001'), /Expected a run trained with model.presence_head/);
  assert.deepEqual(source.opened, [], 'nothing is predicted before');
});

test('a gate by another run looks at that run, which the manifest names', async () => {
  const maps = { a: BLOCK, b: BLOCK, c: BLOCK };
  const others = { a: NOTHING, b: BLOCK, c: NOTHING };
  const source = fixture.source({ r: { ...RUN, maps }, g: { ...RUN, maps: others } });
  const text = `${ONE}postprocess: { gate: { run: g, checkpoint: swa, statistic: max, threshold: 0.5 } }\n`;
  const built = await build(text, source, 1, '20190927-000000');
  assert.equal(built.positives, 1);
  assert.deepEqual(source.opened, ['stage1', 'stage1']);
  const { gate } = JSON.parse(await readFile(built.manifest, 'utf8'));
  assert.deepEqual([gate.run, gate.run_id, gate.checkpoint], ['g', '20190901-101500-g', 'swa']);
  const presence = `${ONE}postprocess: { gate: { run: g, threshold: 0.5 } }\n`;
  await assert.rejects(
    build(presence, source, 1, '20190927-000001'),
    /Expected a run trained with model.presence_head/,
  );
});

test('threads make the masks that are made here', async () => {
  const ids = Array.from({ length: 80 }, (_, index) => `i${index}`);
  const maps = Object.fromEntries(ids.map((id, index) => [id, squareMap(64, index % 50, (index % 50) + 9)]));
  const source = fixture.source({ r: { resolution: 64, maps }, s: { resolution: 32, maps: halves(ids) } });
  const stores = [];
  for (const [run, weight] of [
    ['r', 1],
    ['s', 2],
  ] as const) {
    const store = await source.probabilitiesOf({ run, checkpoint: 'last', weight }, ['none'], 'stage1');
    stores.push({ store, weight });
  }
  const config = postprocessConfig.parse({ threshold: 0.3, min_component_area: 50 });
  const maskSource = { stores, gateStore: undefined, config };
  const wanted = { name: 'sample', rows: ids.map((id, index) => ({ id, line: index + 1 })) };
  const { signal } = new AbortController();
  const masks = await encodeMasks(wanted, maskSource, { terminal: silentTerminal, signal });
  assert.deepEqual([...masks.keys()], ids);
  for (const id of ids) assert.deepEqual(masks.get(id), encodeMask(id, maskSource));
  assert.ok(new Set([...masks.values()].map(({ rle }) => rle)).size > 40, 'the masks differ');
  const stopped = { terminal: silentTerminal, signal: AbortSignal.abort(new Error('Stopped by SIGINT.')) };
  await assert.rejects(encodeMasks(wanted, maskSource, stopped), /SIGINT/);
});

/** Maps of half the side, lit in the first half of them. */
function halves(ids: readonly string[]): Record<string, Uint8Array> {
  return Object.fromEntries(ids.map((id, index) => [id, squareMap(32, 4, 9, index < 40 ? 200 : 0)]));
}
