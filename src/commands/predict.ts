import { relative } from 'node:path';
import { readSettings } from '../config/settings.ts';
import { checkSubmissionConfig, gateMember, parseUntuned, type Submission } from '../config/submission.ts';
import { expected, UserError } from '../core/errors.ts';
import { probabilitySource } from '../predict/predict-run.ts';
import type { PredictionTarget } from '../predict/probability-source.ts';
import { expandFolds } from '../submit/expand-folds.ts';
import type { Command } from './command.ts';

const TARGETS: Readonly<Record<string, PredictionTarget>> = { 1: 'stage1', 2: 'stage2', oof: 'oof' };

/** `npm run predict <submission.yml|run …> stage=1|2|oof`: the probabilities of runs, stored for tuning and building. */
export const predictCommand: Command = {
  name: 'predict',
  summary: 'store the probabilities of runs on a set of images',
  usage: '<submission.yml|run …> stage=1|2|oof [key=value …]',
  keys: {
    stage: "1 or 2: the stage's test images; oof: the runs' own validation images",
    checkpoint: 'with runs as words: which of their checkpoints (best-dice)',
    tta: 'views whose predictions are averaged, as [none, hflip]; default: the file’s, or [none]',
  },
  overrides: true,
  run: async ({ words, values, cwd, signal }, terminal) => {
    const { stage = '', ...others } = values;
    const target = TARGETS[stage];
    if (target === undefined) throw new UserError(expected('1, 2 or oof', 'stage', stage));
    const settings = await readSettings(cwd);
    const submission = await expandFolds(await readMembers(words, others, cwd), settings.runsDir);
    const source = probabilitySource({ settings, cwd, signal }, terminal);
    const gate = gateMember(submission);
    const members = gate === undefined ? submission.members : [...submission.members, gate];
    // Before the first one is predicted, which may take hours, all of them are there.
    for (const member of members) await source.describe(member);
    const stores: { run: string; checkpoint: string; images: number; resolution: number; path: string }[] = [];
    for (const { run, checkpoint } of members) {
      signal.throwIfAborted();
      const store = await source.probabilitiesOf({ run, checkpoint, weight: 1 }, submission.tta, target);
      stores.push({ run, checkpoint, images: store.ids.length, resolution: store.resolution, path: store.path });
      store.close();
    }
    for (const { run, checkpoint, images, resolution, path } of stores) {
      terminal.say(`${run}, ${checkpoint}: ${images} images at ${resolution}² in ${relative(cwd, path)}`);
    }
    const file = isFile(words[0]!) ? words[0]! : 'submissions/<file>.yml';
    const next = target === 'oof' ? `npm run tune ${file}` : `npm run submit ${file} stage=${stage}`;
    terminal.say(`Next: ${next}`);
    return { json: { stage, tta: submission.tta, stores } };
  },
};

/** The members of a submission's file, or runs that are named one by one. */
async function readMembers(
  words: readonly string[],
  values: Readonly<Record<string, string>>,
  cwd: string,
): Promise<Pick<Submission, 'members' | 'tta' | 'postprocess'>> {
  if (words.length === 1 && isFile(words[0]!)) {
    const { checkpoint, ...overrides } = values;
    if (checkpoint === undefined) return await parseUntuned(words[0]!, overrides, cwd);
    throw new UserError(expected('checkpoint within the file’s members', 'checkpoint', checkpoint));
  }
  if (words.length === 0)
    throw new UserError('Name a submission or runs: `npm run predict submissions/quickstart.yml stage=2`.');
  const { checkpoint, tta, ...unknown } = values;
  const [other] = Object.keys(unknown);
  if (other !== undefined) throw new UserError(expected('checkpoint or tta with runs as words', 'a key', other));
  const value = {
    name: 'predict',
    members: words.map((run) => ({ run, ...(checkpoint === undefined ? {} : { checkpoint }) })),
    ...(tta === undefined
      ? {}
      : {
          tta: tta
            .replace(/^\[|\]$/g, '')
            .split(',')
            .map((view) => view.trim()),
        }),
  };
  return await checkSubmissionConfig(value, 'command line');
}

function isFile(word: string): boolean {
  return /\.ya?ml$/.test(word);
}
