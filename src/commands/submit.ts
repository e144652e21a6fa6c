import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { readSettings } from '../config/settings.ts';
import { parseSubmission } from '../config/submission.ts';
import { LABEL_FILES, STAGES } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { describePostprocess } from '../postprocess/index.ts';
import { probabilitySource } from '../predict/predict-run.ts';
import { type BuiltSubmission, buildSubmission } from '../submit/build.ts';
import { expandFolds } from '../submit/expand-folds.ts';
import { tunedOtherwise } from '../submit/members.ts';
import { makeStamp, planSubmission, readStamp, type SubmissionPlan, type SubmissionStage } from '../submit/plan.ts';
import { rebuildSubmission } from '../submit/rebuild.ts';
import { readCommit } from '../train/describe-run.ts';
import type { Command, CommandArgs, CommandResult } from './command.ts';
import { sayScore } from './score-words.ts';
import { isBuilt, prepareSending, send, sendBuilt } from './send-submission.ts';
import { readSwitch } from './values.ts';

/** `npm run submit <submission.yml> stage=1|2|oof`: build, check and pack a submission. */
export const submitCommand: Command = {
  name: 'submit',
  summary: 'build a stage’s CSV and its manifest',
  usage: '<submission.yml|csv|manifest.json> stage=1|2|oof [key=value …]',
  keys: {
    stage: "1 or 2: the stage's test images; oof: the runs' own validation images, scored",
    stamp: 'the time in the names of the files, in UTC; default: now. With the same stamp all bytes are the same',
    rebuild: 'true: make the CSV of a manifest (the word) again, compare it, and put back what is missing',
    dry_run: 'true: find runs, checkpoints and the sample, say what would be written, and stop',
    kaggle:
      'true: send the CSV with the `kaggle` command and record its score; also of one that was built, named itself',
  },
  overrides: true,
  run: async ({ words, values, cwd, signal }, terminal) => {
    const { stage, stamp = makeStamp(new Date()), dry_run: dryRun, kaggle, rebuild, ...overrides } = values;
    if (readSwitch('rebuild', rebuild)) return await rebuildBuilt(words[0]!, { cwd, signal }, terminal);
    const sends = readSwitch('kaggle', kaggle);
    if (isBuilt(words[0]!)) return await sendBuilt(words[0]!, { values, sends, cwd, signal }, terminal);
    const options = {
      stage: readSubmissionStage(stage),
      stamp: readStamp(stamp),
      dryRun: readSwitch('dry_run', dryRun),
    };
    if (sends) await prepareSending(options.stage, terminal);
    const settings = await readSettings(cwd);
    const submission = await expandFolds(await parseSubmission(words[0]!, overrides, cwd), settings.runsDir);
    const source = probabilitySource({ settings, cwd, signal }, terminal);
    const folder = resolve(cwd, 'submissions');
    const plan = await planSubmission(submission, options.stage, { source, folder, stamp: options.stamp });
    sayPlan(plan, cwd, terminal);
    if (options.dryRun) return { json: { dry_run: true, ...plan.files, rows: plan.wanted.rows.length } };
    const built = await buildSubmission(plan, { source, commit: await readCommit(), signal }, terminal);
    sayBuilt(built, plan, { cwd, sends }, terminal);
    const { score, ...rest } = built;
    const sent = sends ? { kaggle: await send(built.csv, { cwd, signal }, terminal) } : {};
    return { json: { ...rest, ...(score === undefined ? {} : { score }), ...sent } };
  },
};

/** `npm run submit <manifest.json> rebuild=true`. */
async function rebuildBuilt(
  word: string,
  { cwd, signal }: Pick<CommandArgs, 'cwd' | 'signal'>,
  terminal: Terminal,
): Promise<CommandResult> {
  const manifest = resolve(cwd, word.replace(/\.(csv|zip)$/, '.manifest.json'));
  const source = probabilitySource({ settings: await readSettings(cwd), cwd, signal }, terminal);
  const { csv, zip, restored } = await rebuildSubmission(manifest, { source, signal }, terminal);
  terminal.say(`${relative(cwd, csv)} comes out the same, byte for byte`);
  for (const file of restored) terminal.say(`put back     ${relative(cwd, file)}`);
  return { json: { csv, manifest, zip, restored } };
}

function sayPlan(plan: SubmissionPlan, cwd: string, terminal: Terminal): void {
  const { members, gate, submission, wanted, sample, files } = plan;
  for (const { member, run } of members) {
    terminal.say(`member       ${run.run_id}, ${member.checkpoint} (${run.checkpoint_id}), weight ${member.weight}`);
  }
  if (gate !== undefined) {
    terminal.say(`gate by      ${gate.run.run_id}, ${gate.member.checkpoint} (${gate.run.checkpoint_id})`);
  }
  const other = tunedOtherwise(submission, members);
  if (other !== undefined) terminal.warn(other);
  terminal.say(`masks        TTA ${submission.tta.join(', ')}; ${describePostprocess(submission.postprocess)}`);
  terminal.say(`rows         ${wanted.rows.length}, of ${sample === undefined ? wanted.name : relative(cwd, sample)}`);
  terminal.say(`to write     ${relative(cwd, files.csv)}`);
}

function sayBuilt(
  built: BuiltSubmission,
  plan: SubmissionPlan,
  { cwd, sends }: { cwd: string; sends: boolean },
  terminal: Terminal,
): void {
  if (built.score !== undefined) sayScore(built.score, terminal);
  terminal.say(`csv          ${relative(cwd, built.csv)}`);
  terminal.say(`manifest     ${relative(cwd, built.manifest)}`);
  terminal.say(`zip          ${relative(cwd, built.zip)}`);
  const next = sends ? undefined : nextStep(built, plan, cwd);
  if (next !== undefined) terminal.say(`Next: ${next}`);
}

/** Stage 2's labels cover stage 1's test images: with them at hand, its score is known. */
function nextStep(
  { csv }: BuiltSubmission,
  { stage, members, sample }: SubmissionPlan,
  cwd: string,
): string | undefined {
  const truth = join(members[0]!.run.data_root, LABEL_FILES[2]);
  if (stage === 1 && existsSync(truth)) {
    return `npm run score ${relative(cwd, csv)} truth=${relative(cwd, truth)} sample=${relative(cwd, sample!)}`;
  }
  return stage === 'oof' ? undefined : `npm run submit ${relative(cwd, csv)} kaggle=true   # sends it`;
}

function readSubmissionStage(text: string | undefined): SubmissionStage {
  const stage = [...STAGES, 'oof' as const].find((each) => String(each) === text);
  if (stage !== undefined) return stage;
  throw new UserError(expected('1, 2 or oof', 'stage', text, 'Name it: `npm run submit <submission.yml> stage=1`.'));
}
