import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'csv-stringify/sync';
import { leaderboardCommand } from '../../src/commands/leaderboard.ts';
import { send } from '../../src/commands/send-submission.ts';
import { submitCommand } from '../../src/commands/submit.ts';
import { sha256 } from '../../src/core/atomic-file.ts';
import { UserError } from '../../src/core/errors.ts';
import { formatRle } from '../../src/core/rle.ts';
import { listRuns } from '../../src/tracking/runs.ts';
import { recordingTerminal } from '../data/fixture-competition.ts';
import { checkInBrowser } from '../pages/browser.ts';
import { checkPage } from '../pages/check-page.ts';
import { installFakeKaggle } from './fake-kaggle.ts';
import { makeProject, weightsOf, writeRun } from './fixture.ts';

const project = await makeProject();
const { cwd, ids, truth, runsDir } = project;
after(() => rm(cwd, { recursive: true }));
const SCRIPT = '<script>alert(1)</script>';

const allBut = (...wrong: number[]) => ids.filter((_, image) => !wrong.includes(image));
await writeRun(project, { id: 'run-a', name: 'a', right: allBut(1) });
await writeRun(project, { id: 'run-b', name: SCRIPT, right: allBut(0, 1, 2) });
// Stage 2's labels cover the images, as they do those of stage 1.
const labels = ids.map((id) => [id, formatRle(truth.get(id)!)]);
await writeFile(join(cwd, 'data', 'stage_2_train.csv'), stringify([['ImageId', 'EncodedPixels'], ...labels]));

/** A submission as it is built: right on all images but some, where it is empty or, on empty ones, full. */
async function build(stage: 1 | 2 | 'oof', stamp: string, runs: string[], wrong: number[], score?: number) {
  const id = `${stamp}-mine-${stage === 'oof' ? 'oof' : `stage${stage}`}`;
  const rows = labels.map(([image, code], place) => [
    image,
    wrong.includes(place) ? (code === '-1' ? '5 9' : '-1') : code,
  ]);
  const csv = stringify([['ImageId', 'EncodedPixels'], ...rows]);
  const manifest = {
    ...{ name: 'mine', stage, stamp, csv: { file: `${id}.csv`, sha256: sha256(csv), rows: ids.length, positives: 4 } },
    sample: null,
    members: runs.map((run_id) => ({
      ...{
        run: run_id,
        run_id,
        checkpoint: 'swa',
        checkpoint_id: 'swa',
        checkpoint_sha256: weightsOf(run_id),
        weight: 1,
      },
      ...{ resolution: 32, data_digest: 'd' },
    })),
    ...{ tta: ['none'], postprocess: { threshold: 0.5 }, commit: null },
    ...(score === undefined ? {} : { score: { dice: score } }),
  };
  await mkdir(join(cwd, 'submissions'), { recursive: true });
  await writeFile(join(cwd, 'submissions', `${id}.csv`), csv);
  await writeFile(join(cwd, 'submissions', `${id}.manifest.json`), JSON.stringify(manifest));
  return id;
}

const best = await build(1, '20260201-000001', ['run-a'], [1]);
const worst = await build(1, '20260201-000002', ['run-b'], [0, 1, 2, 3, 4]);
const middle = await build(1, '20260201-000003', ['run-a', 'run-b'], [0, 1]);
await build('oof', '20260201-000004', ['run-a', 'run-b'], [1], 0.9);
const final = await build(2, '20260201-000005', ['run-a'], []);

const signal = new AbortController().signal;
async function board(words: string[] = [], values: Record<string, string> = {}) {
  const terminal = recordingTerminal();
  const { json } = await leaderboardCommand.run({ words, values, cwd, signal }, terminal);
  return { json: json as unknown as Json, said: terminal.lines.join('\n') };
}

interface Json {
  submissions: ({ id: string; final: string | null } & Record<
    'validation' | 'oof' | 'offline' | 'public' | 'private',
    number | null
  >)[];
  rank_correlations: { first: string; second: string; submissions: number; correlation: number | null }[];
  shake_ups: {
    images: number;
    by_public_part: { public_part: number; leader_stays: number; score_deviation: number }[];
  }[];
  page: string;
  runs: string[];
}

const near = (a: number | null, b: number) => assert.ok(a !== null && Math.abs(a - b) < 1e-9, `${a} for ${b}`);
const refused = (action: Promise<unknown>, message: RegExp) =>
  assert.rejects(action, (error) => error instanceof UserError && message.test(error.message));

test('every submission is listed with what is known of it', async () => {
  const { json } = await board([], { sort: 'offline' });
  assert.deepEqual(
    json.submissions.map(({ id }) => id),
    [best, middle, worst, final, '20260201-000004-mine-oof'],
  );
  const of = (id: string) => json.submissions.find((submission) => submission.id === id)!;
  near(of(best).offline, 11 / 12);
  near(of(worst).offline, 7 / 12);
  near(of(best).validation, 11 / 12);
  near(of(middle).validation, (11 / 12 + 9 / 12) / 2);
  assert.equal(of(middle).oof, 0.9, 'its recipe was scored out of fold');
  assert.equal(of(best).oof, null);
  assert.deepEqual([of(final).offline, of(final).public], [null, null]);
  const marks = { format: 1, finals: [{ id: final, what: '512 and 768', csv_sha256: '', stage1: null }] };
  await writeFile(join(cwd, 'submissions/finals.json'), JSON.stringify(marks));
  const marked = await board();
  assert.deepEqual(
    marked.json.submissions.filter((each) => each.final !== null).map((each) => [each.id, each.final]),
    [[final, '512 and 768']],
  );
  assert.match(marked.said, /2, final/);
  await rm(join(cwd, 'submissions/finals.json'));
  const known = await board([], { truth: 'data/stage_2_train.csv' });
  near(known.json.submissions.find(({ id }) => id === final)!.offline, 1);
});

test('recorded scores lie beside the manifest, in the runs’ tags, and are correlated by rank', async () => {
  const { json, said } = await board(['record', best], { public: '0.86', private: '0.84' });
  assert.deepEqual(json.runs, ['run-a']);
  assert.match(said, /Next: npm run sync run-a/);
  await board(['record', `submissions/${worst}.csv`], { public: '0.70' });
  await board(['record', middle], { public: '0.80' });
  const file = JSON.parse(await readFile(join(cwd, 'submissions', `${best}.kaggle.json`), 'utf8'));
  assert.deepEqual([file.public, file.private], [0.86, 0.84]);
  const run = (await listRuns(runsDir)).find(({ run_id }) => run_id === 'run-a')!;
  assert.equal(run.status, 'FINISHED');
  assert.equal(run.record.tags[`submission.${best}`], 'public 0.86, private 0.84');
  assert.equal(run.record.tags['leaderboard.public'], '0.86');
  assert.equal(run.record.tags[`submission.${middle}`], 'public 0.8');
  const found = (await board()).json;
  assert.deepEqual(found.submissions.map(({ id }) => id).slice(0, 3), [best, middle, worst]);
  const correlation = (first: string, second: string) =>
    found.rank_correlations.find((each) => each.first === first && each.second === second);
  assert.deepEqual(correlation('offline', 'public'), {
    stage: 1,
    first: 'offline',
    second: 'public',
    submissions: 3,
    correlation: 1,
  });
  assert.equal(correlation('public', 'private'), undefined);
  const [shakeUp] = found.shake_ups;
  assert.equal(shakeUp!.images, 12);
  const [few, , , half] = shakeUp!.by_public_part;
  assert.ok(few!.leader_stays < half!.leader_stays && few!.score_deviation > half!.score_deviation);
});

test('wrong words are refused before anything is written', async () => {
  await refused(board(['record', 'nothing'], { public: '0.5' }), /Expected a submission that was built/);
  await refused(board(['record', best], { public: '86' }), /Expected a score from 0 to 1 for public but received "86"/);
  await refused(board(['record', best]), /Name a score/);
  await refused(board(['recrod', best], { public: '0.5' }), /Expected record and a submission/);
  await refused(board([], { sort: 'offlin' }), /Expected one of validation, oof/);
  await writeFile(join(cwd, 'submissions', 'x.manifest.json'), '{}');
  await refused(board(), /Expected a manifest for .*x\.manifest\.json/);
  await rm(join(cwd, 'submissions', 'x.manifest.json'));
});

test('a CSV that was changed is not scored as what its manifest speaks of', async () => {
  const id = await build(1, '20260201-000006', ['run-a'], [1, 4]);
  const path = join(cwd, 'submissions', `${id}.csv`);
  await writeFile(path, `${await readFile(path, 'utf8')}image-x,-1\n`);
  await refused(board(), /Expected the CSV that its manifest speaks of/);
  await rm(path);
  assert.equal((await board()).json.submissions.find((each) => each.id === id)!.offline, null);
});

test('the page needs nothing from outside and shows names as text', async (t) => {
  const { json } = await board();
  const page = await readFile(json.page, 'utf8');
  checkPage(page);
  assert.ok(page.includes('&lt;script&gt;'));
  assert.match(page, /aria-label="Public score over local score"/);
  await checkInBrowser(t, page, [SCRIPT, 'Expected shake-up']);
});

const submit = (word: string, values: Record<string, string>) =>
  submitCommand.run({ words: [word], values, cwd, signal }, recordingTerminal());

test('without the command, or without leave, it says what to do and sends nothing', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  try {
    await refused(
      submit(`submissions/${final}.csv`, { kaggle: 'true' }),
      /Expected the `kaggle` command .*pip install kaggle/,
    );
  } finally {
    process.env.PATH = path;
  }
  const fake = await installFakeKaggle(cwd);
  await refused(submit(`submissions/${final}.csv`, {}), /is built already.*kaggle=true/);
  await refused(submit(`submissions/${final}.csv`, { kaggle: 'yes' }), /Expected true or false for kaggle/);
  await refused(submit(`submissions/${final}.csv`, { kaggle: 'true', stage: '2' }), /Expected no key but kaggle/);
  await refused(submit('submissions/20260201-000004-mine-oof.csv', { kaggle: 'true' }), /Expected stage 1 or 2/);
  assert.deepEqual(await fake.calls(), []);
  await fake.failWith('Authentication required to call the Kaggle API.\n\nFirst, you will need an account.\na\nb\nc');
  await refused(
    submit(`submissions/${final}.csv`, { kaggle: 'true' }),
    /ended with 1:\nAuthentication required to call the Kaggle API\.\na\nb\nc\nLog in with `kaggle auth login`, or make a token/,
  );
  await fake.failWith('403 - Forbidden');
  await refused(submit(`submissions/${final}.csv`, { kaggle: 'true' }), /accept its rules/);
  await fake.failWith(undefined);
  const today = new Date().toISOString().slice(0, 10);
  const row = { description: 'x', date: `${today} 00:00:00`, status: 'complete', publicScore: '0.5', privateScore: '' };
  await fake.list(Array.from({ length: 5 }, () => row));
  await refused(submit(`submissions/${final}.csv`, { kaggle: 'true' }), /All 5 submissions of today are used/);
  assert.ok(
    (await fake.calls()).every((words) => words[1] === 'submissions'),
    'nothing was sent',
  );
});

test('it is sent once with its id as message, its score waited for and recorded', async () => {
  const fake = await installFakeKaggle(cwd);
  const terminal = recordingTerminal();
  const patience = { everyMs: 5, forMs: 20_000 };
  const sent = await send(`submissions/${final}.csv`, { cwd, signal, patience }, terminal);
  assert.deepEqual(sent, { id: final, public: 0.8608 });
  const submits = async () => (await fake.calls()).filter((words) => words[1] === 'submit');
  const csv = join(cwd, 'submissions', `${final}.csv`);
  assert.deepEqual(await submits(), [
    ['competitions', 'submit', 'siim-acr-pneumothorax-segmentation', '-f', csv, '-m', final],
  ]);
  assert.equal((await board()).json.submissions[0]!.id, final);
  await submit(`submissions/${final}.csv`, { kaggle: 'true' });
  assert.equal((await submits()).length, 1, 'what was sent is not sent again');
  await fake.list([]);
  await refused(
    submit(`submissions/${final}.csv`, { kaggle: 'true' }),
    /was sent at .* and is not among the last ones/,
  );
  assert.equal((await submits()).length, 1);
  const row = { date: '2019-09-04 10:00:00', status: 'complete', publicScore: '0.8608', privateScore: '0.8435' };
  await fake.list([{ ...row, description: final }]);
  const { json, said } = await board([], { kaggle: 'true' });
  assert.match(said, /5 of 5 submissions left today/);
  assert.equal(json.submissions.find(({ id }) => id === final)!.private, 0.8435);
});
