import { resolve } from 'node:path';
import { readSettings } from '../config/settings.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { askAllowance, type Patience, requireAllowance, sayAllowance, sendToKaggle } from '../leaderboard/kaggle.ts';
import { recordEverywhere } from '../leaderboard/record.ts';
import { findSubmission, type KaggleScores } from '../leaderboard/submission-files.ts';
import type { CommandArgs, CommandResult } from './command.ts';

type Where = Pick<CommandArgs, 'cwd' | 'signal'>;

/** Whether a word names a submission that was built, rather than the file that declares one. */
export function isBuilt(word: string): boolean {
  return /\.(csv|zip|manifest\.json)$/.test(word);
}

/** `npm run submit <csv> kaggle=true`: sends what was built before. Throws UserError where any other key is given. */
export async function sendBuilt(
  word: string,
  { values, sends, ...where }: Where & { values: CommandArgs['values']; sends: boolean },
  terminal: Terminal,
): Promise<CommandResult> {
  const others = Object.keys(values).filter((key) => key !== 'kaggle');
  if (others.length > 0)
    throw new UserError(expected('no key but kaggle for a submission that was built', word, others));
  if (!sends)
    throw new UserError(`${word} is built already. \`npm run submit ${word} kaggle=true\` sends it to Kaggle.`);
  const { manifest, id } = await findSubmission(word, resolve(where.cwd, 'submissions'), where.cwd);
  await prepareSending(manifest.stage, terminal, id);
  return { json: { kaggle: await send(word, where, terminal) } };
}

/**
 * Asks Kaggle before hours of prediction whether anything may be sent. Throws UserError where not.
 * @param id of what was built; undefined where it is about to be.
 */
export async function prepareSending(stage: 1 | 2 | 'oof', terminal: Terminal, id?: string): Promise<void> {
  if (stage === 'oof') throw new UserError(expected('stage 1 or 2', 'kaggle=true', stage));
  const allowance = await askAllowance(new Date());
  sayAllowance(allowance, terminal);
  requireAllowance(allowance, id);
}

/** Sends a built submission, waits for its scores and records them. */
export async function send(
  word: string,
  { cwd, signal, patience }: Where & { patience?: Patience },
  terminal: Terminal,
): Promise<{ id: string } & KaggleScores> {
  const submission = await findSubmission(word, resolve(cwd, 'submissions'), cwd);
  const { id } = submission;
  const scores = await sendToKaggle(submission, { signal, patience }, terminal);
  if (scores === undefined) {
    terminal.warn(`no score yet: \`npm run leaderboard kaggle=true\` fetches it later.`);
    return { id };
  }
  const { runsDir } = await readSettings(cwd);
  const written = await findSubmission(word, resolve(cwd, 'submissions'), cwd);
  await recordEverywhere(written, scores, { runsDir, now: new Date() }, terminal);
  terminal.say(`public       ${scores.public ?? '–'}`);
  terminal.say(`private      ${scores.private ?? '–'}`);
  terminal.say('Next: npm run leaderboard');
  return { id, ...scores };
}
