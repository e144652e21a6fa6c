import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { finalCommand } from '../../src/commands/final.ts';
import { sha256 } from '../../src/core/atomic-file.ts';
import { UserError } from '../../src/core/errors.ts';
import { recordingTerminal } from '../data/fixture-competition.ts';

let cwd: string;
before(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'finals-'));
  await mkdir(join(cwd, 'submissions'));
  await build('a-stage1', 1, 'network x', 'a');
  await build('a-stage2', 2, 'network x', 'a');
  await build('b-stage2', 2, 'network x', 'b');
  await build('c-stage2', 2, 'network x', 'c');
  await build('twin-stage2', 2, 'network x', 'a');
  await build('new-stage2', 2, 'network y', 'n');
});
after(() => rm(cwd, { recursive: true }));

async function build(id: string, stage: 1 | 2, architecture: string, content: string): Promise<void> {
  const csv = `ImageId,EncodedPixels\n${content},-1\n`;
  const manifest = {
    ...{ name: id, stage, stamp: '20190901-101500', tta: ['none', 'hflip'], postprocess: {}, architecture },
    csv: { file: `${id}.csv`, sha256: sha256(csv), rows: 1, positives: 0 },
    members: ['512', '768'].map((run_id, place) => ({
      ...{ run_id, checkpoint: 'swa', checkpoint_id: 'swa', checkpoint_sha256: 'x', weight: place + 1 },
    })),
  };
  await writeFile(join(cwd, 'submissions', `${id}.csv`), csv);
  await writeFile(join(cwd, 'submissions', `${id}.manifest.json`), JSON.stringify(manifest));
}

async function final(word?: string, values: Record<string, string> = {}) {
  const terminal = recordingTerminal();
  const words = word === undefined ? [] : [word];
  const { json } = await finalCommand.run({ words, values, cwd, signal: new AbortController().signal }, terminal);
  const { finals } = json as { finals: { id: string; what: string; stage1: string | null }[] };
  return { finals, said: terminal.lines.join('\n') };
}

const refused = async (word: string, message: RegExp, values: Record<string, string> = {}) => {
  const marks = await readFile(join(cwd, 'submissions', 'finals.json'), 'utf8').catch(() => '');
  await assert.rejects(
    final(word, values),
    (error: Error) => error instanceof UserError && message.test(error.message),
  );
  assert.equal(await readFile(join(cwd, 'submissions', 'finals.json'), 'utf8').catch(() => ''), marks);
};

test('none is marked at first', async () => {
  assert.deepEqual((await final()).finals, []);
});

test('only submissions of stage 2 with the networks of a stage-1 submission are marked', async () => {
  await refused('a-stage1', /Expected a submission of stage 2 for final but received "a-stage1, stage 1"/);
  await refused(
    'new-stage2',
    /of the same architecture as new-stage2.*other networks in a-stage1.*retrained but not changed/,
  );
  await refused('a-stage2', /of the same architecture as a-stage2 for nothing but received "none"/, {
    stage1: 'nothing',
  });
  await refused('nobody', /Expected a submission that was built/);
  await refused('a-stage2', /true or false for remove/, { remove: 'yes' });
});

test('at most two are marked, each with what it is, and not one CSV twice', async () => {
  const { finals } = await final('submissions/a-stage2.csv', { what: '512 and 768 averaged' });
  assert.deepEqual(
    finals.map(({ id, what, stage1 }) => [id, what, stage1]),
    [['a-stage2', '512 and 768 averaged', 'a-stage1']],
  );
  await refused('twin-stage2', /the same CSV as a-stage2/);
  const { finals: both, said } = await final('b-stage2', { stage1: 'none' });
  assert.deepEqual(
    both.map(({ id, stage1 }) => [id, stage1]),
    [
      ['a-stage2', 'a-stage1'],
      ['b-stage2', null],
    ],
  );
  assert.match(said, /512 \(swa, weight 1\) \+ 768 \(swa, weight 2\); none, hflip\n +its networks were not compared/);
  await refused('c-stage2', /at most 2 final submissions but a-stage2 and b-stage2 are marked.*remove=true/);
  assert.deepEqual((await final()).finals, both);
});

test('a mark is changed or taken away', async () => {
  assert.equal((await final('b-stage2', { what: '768 alone' })).finals[1]!.what, '768 alone');
  assert.equal((await final('a-stage2', { remove: 'true' })).finals.length, 1);
  await refused('a-stage2', /Expected a marked submission/, { remove: 'true' });
  await final('c-stage2');
});

test('a CSV that was changed since, and marks that cannot be read, are refused', async () => {
  await writeFile(join(cwd, 'submissions', 'b-stage2.csv'), 'b,1 2\n');
  await refused('b-stage2', /the CSV that the manifest of b-stage2 speaks of/);
  await writeFile(join(cwd, 'submissions', 'finals.json'), '{}');
  await refused('c-stage2', /the marks of final submissions/);
});
