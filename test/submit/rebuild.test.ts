import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { sha256File } from '../../src/core/atomic-file.ts';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import type { ProbabilitySource } from '../../src/predict/probability-source.ts';
import { type BuiltSubmission, buildSubmission } from '../../src/submit/build.ts';
import { planSubmission } from '../../src/submit/plan.ts';
import { rebuildSubmission } from '../../src/submit/rebuild.ts';
import { type Fixture, type FixtureRun, makeFixture, squareMap } from './fixture.ts';

let fixture: Fixture;
let built: BuiltSubmission;
before(async () => {
  fixture = await makeFixture();
  const text = [
    'name: again\nmembers:\n  - { run: r }\n  - { run: s, checkpoint: swa, weight: 3 }',
    'tta: [none, hflip]',
    'postprocess: { threshold: 0.4, min_component_area: 9, largest_components: 1, gate: { run: g, statistic: max, threshold: 0.5 } }\n',
  ];
  const submission = await fixture.submission(text.join('\n'));
  const options = { source: sourceOf(200), folder: fixture.submissions, stamp: '20190930-101500' };
  const plan = await planSubmission(submission, 1, options);
  built = await buildSubmission(plan, { source: options.source, commit: 'abc', signal }, silentTerminal);
});
after(() => rm(fixture.folder, { recursive: true }));

const { signal } = new AbortController();

function run(byte: number): FixtureRun {
  const map = squareMap(64, 10, 30, byte);
  return { resolution: 64, maps: { a: map, b: squareMap(64, 5, 9, byte), c: new Uint8Array(64 * 64) } };
}

/** Runs by name and, as a manifest speaks of them, by id. */
function sourceOf(byte: number): ProbabilitySource {
  const runs = { r: run(byte), s: run(250), g: run(240) };
  const source = fixture.source({ ...runs, ...byId(runs) });
  const nameOf = <T extends { run: string }>(member: T) => ({
    ...member,
    run: member.run.replace('20190901-101500-', ''),
  });
  return {
    describe: (member) => source.describe(nameOf(member)),
    validationOf: (member) => source.validationOf(nameOf(member)),
    probabilitiesOf: (member, tta, target) => source.probabilitiesOf(nameOf(member), tta, target),
  };
}

function byId(runs: Record<string, FixtureRun>): Record<string, FixtureRun> {
  return Object.fromEntries(Object.entries(runs).map(([name, each]) => [`20190901-101500-${name}`, each]));
}

const rebuild = (source = sourceOf(200)) => rebuildSubmission(built.manifest, { source, signal }, silentTerminal);

test('from its manifest alone a submission comes out the same, and what is missing is put back, byte for byte', async () => {
  const files = [built.csv, built.manifest, built.zip];
  const digests = () => Promise.all(files.map((file) => sha256File(file)));
  const first = await digests();
  assert.ok(built.positives > 0);
  assert.deepEqual((await rebuild()).restored, []);
  await rm(built.csv);
  await rm(built.zip);
  assert.deepEqual((await rebuild()).restored, [built.csv, built.zip]);
  assert.deepEqual(await digests(), first);
});

test('other probabilities, another checkpoint, another sample and a damaged manifest are refused', async () => {
  await assert.rejects(rebuild(sourceOf(20)), /Expected the CSV of SHA-256 .*The checkpoints are the same/);
  const other = sourceOf(200);
  const describe: ProbabilitySource['describe'] = async (member) => ({
    ...(await other.describe(member)),
    checkpoint_sha256: 'other',
  });
  await assert.rejects(rebuild({ ...other, describe }), /Expected the weights of SHA-256 c0ffee for .*-r, best-dice/);
  const sample = `${fixture.root}/sample_submission.csv`;
  const text = await readFile(sample, 'utf8');
  await writeFile(sample, text.replace('c,-1', 'd,-1'));
  await assert.rejects(rebuild(), /Expected the sample of SHA-256/);
  await writeFile(sample, text);
  const manifest = await readFile(built.manifest, 'utf8');
  await writeFile(built.manifest, manifest.replace('"members"', '"members_"'));
  await assert.rejects(
    rebuild(),
    (error: Error) => error instanceof UserError && /manifest of a submission/.test(error.message),
  );
  await writeFile(built.manifest, manifest);
});
