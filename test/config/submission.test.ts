import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { keysOf } from '../../src/config/describe-problem.ts';
import { memberConfig, parseSubmission, submissionKeys } from '../../src/config/submission.ts';
import { ttaConfig } from '../../src/config/tta.ts';
import { UserError } from '../../src/core/errors.ts';
import { CHECKPOINT_NAMES } from '../../src/models/checkpoint.ts';
import { gateShape } from '../../src/postprocess/gate.ts';
import { postprocessConfig } from '../../src/postprocess/index.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'submission-yml-'));
  await writeFile(join(folder, 'least.yml'), 'name: least\nmembers:\n  - { run: r }\n');
});
after(() => rm(folder, { recursive: true }));

test('the shipped submission is valid', async () => {
  assert.deepEqual(await parseSubmission('submissions/quickstart.yml', {}, REPOSITORY), {
    name: 'quickstart',
    members: [{ run: 'quickstart', checkpoint: 'swa', weight: 1 }],
    tta: ['none', 'hflip'],
    postprocess: { average: 'probabilities', threshold: 0.5, fill_holes: false, min_component_area: 1000 },
  });
});

test('defaults: the best Dice, equal weights, no views, no post-processing', async () => {
  assert.deepEqual(await parseSubmission('least.yml', {}, folder), {
    name: 'least',
    members: [{ run: 'r', checkpoint: 'best-dice', weight: 1 }],
    tta: ['none'],
    postprocess: { average: 'probabilities', threshold: 0.5, fill_holes: false, min_component_area: 0 },
  });
});

test('words of the command line are laid over the file', async () => {
  const words = {
    name: 'other',
    tta: '[none, hflip]',
    'postprocess.threshold': '0.25',
    'members.0.checkpoint': 'last',
    'members.0.weight': '2',
  };
  assert.deepEqual(await parseSubmission('least.yml', words, folder), {
    name: 'other',
    members: [{ run: 'r', checkpoint: 'last', weight: 2 }],
    tta: ['none', 'hflip'],
    postprocess: { average: 'probabilities', threshold: 0.25, fill_holes: false, min_component_area: 0 },
  });
});

test('every problem is named with its line', async () => {
  const text = [
    'name: a/b',
    'members:',
    '  - { run: r, checkpoint: best-dise }',
    '  - { run: s, weight: 0 }',
    '  - { run: t, wieght: 1 }',
    'tta: [none, none]',
    'postprocess:',
    '  threshold: .nan',
    '  min_component_area: 1.5',
  ];
  await writeFile(join(folder, 'bad.yml'), text.join('\n'));
  await assert.rejects(parseSubmission('bad.yml', {}, folder), (error: Error) => {
    assert.ok(error instanceof UserError);
    for (const message of [
      /^bad\.yml:1: Expected up to 80 letters/m,
      /^bad\.yml:3: .*members\.0\.checkpoint.*Did you mean best-dice\?/m,
      /^bad\.yml:4: Expected a number of more than 0 for members\.1\.weight but received 0\./m,
      /^bad\.yml:5: .*members\.2.*"wieght".*Did you mean weight\?/m,
      /^bad\.yml:6: Expected a list that has each view once for tta/m,
      /^bad\.yml:8: Expected a number for postprocess\.threshold but received NaN\./m,
      /^bad\.yml:9: Expected a whole number for postprocess\.min_component_area but received 1\.5\./m,
    ]) {
      assert.match(error.message, message);
    }
    return true;
  });
});

test("a gate is a number, a figure of the probabilities, or another run's", async () => {
  const gateOf = async (gate: string) =>
    (await parseSubmission('least.yml', { 'postprocess.gate': gate }, folder)).postprocess.gate;
  assert.deepEqual(await gateOf('0.4'), { statistic: 'presence', threshold: 0.4 });
  assert.deepEqual(await gateOf('{ run: g, threshold: 0.3 }'), { run: 'g', statistic: 'presence', threshold: 0.3 });
  const top = { statistic: 'top_mean', pixels: 500, threshold: 0.3 };
  assert.deepEqual(await gateOf('{ statistic: top_mean, pixels: 500, threshold: 0.3 }'), top);
  const wrong: [gate: string, message: RegExp][] = [
    ['1.5', /Expected a number of less than 1 for postprocess\.gate but received 1\.5\./],
    [
      '{ statistic: maxi, threshold: 0.5 }',
      /for postprocess\.gate\.statistic but received "maxi"\. Did you mean max\?/,
    ],
    ['{ treshold: 0.5 }', /a key of postprocess\.gate but received "treshold"\. Did you mean threshold\?/],
    [
      '{ statistic: top_mean, threshold: 0.5 }',
      /the number of pixels that top_mean is of for postprocess\.gate\.pixels/,
    ],
    ['{ checkpoint: swa, threshold: 0.5 }', /the run whose checkpoint it is for postprocess\.gate\.run/],
    ['[0.5]', /postprocess\.gate/],
  ];
  for (const [gate, message] of wrong) await assert.rejects(gateOf(gate), message, gate);
});

test('a member given twice is a slip', async () => {
  const text = 'name: twice\nmembers:\n  - { run: r }\n  - { run: r, checkpoint: last }\n  - { run: r, weight: 2 }\n';
  await writeFile(join(folder, 'twice.yml'), text);
  await assert.rejects(
    parseSubmission('twice.yml', {}, folder),
    /^UserError: twice\.yml:5: Expected each member once for members\.2 .* It is members\.0 already/,
  );
});

test('nothing to average, and no name, are said', async () => {
  await writeFile(join(folder, 'empty.yml'), 'members: []\n');
  await assert.rejects(
    parseSubmission('empty.yml', {}, folder),
    /(?=[\s\S]*for name but it is missing)(?=[\s\S]*at least 1 item for members)/,
  );
});

test('the reference names every key and every choice', async () => {
  const reference = await readFile(join(REPOSITORY, 'docs/reference/submission.md'), 'utf8');
  const words = [
    ...Object.keys(submissionKeys).filter((key) => key !== 'postprocess'),
    ...keysOf(memberConfig).map((key) => `members.<n>.${key}`),
    ...keysOf(postprocessConfig).map((key) => `postprocess.${key}`),
    ...Object.keys(gateShape).map((key) => `postprocess.gate.${key}`),
    ...gateShape.statistic.unwrap().options,
    ...CHECKPOINT_NAMES,
    ...ttaConfig.element.options,
  ];
  assert.deepEqual(
    words.filter((word) => !reference.includes(`\`${word}\``)),
    [],
  );
});
