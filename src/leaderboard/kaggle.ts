import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { execa } from 'execa';
import { FINAL_SUBMISSIONS, KAGGLE_COMPETITION, SUBMISSIONS_A_DAY } from '../core/competition.ts';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { type BuiltFiles, csvPath, type KaggleScores, recordScores } from './submission-files.ts';

/** A submission as Kaggle lists it. */
export interface SentSubmission {
  description: string;
  /** `complete`, `pending` or `error`, in small letters. */
  status: string;
  /** UTC, as listed: `2019-09-01 10:15:00`. */
  date: string;
  scores: KaggleScores;
}

/** How long Kaggle is asked for a score, and how often. */
export interface Patience {
  everyMs: number;
  forMs: number;
}
const PATIENCE: Patience = { everyMs: 10_000, forMs: 15 * 60_000 };
/** A CSV of some megabytes over a slow line. */
const COMMAND_TIMEOUT_MS = 10 * 60_000;

const TOKENS = 'https://www.kaggle.com/settings/api';
const PAGE = `https://www.kaggle.com/competitions/${KAGGLE_COMPETITION}`;

/** What may be sent today, and which submissions count in the end. */
export interface Allowance {
  /** Of today, UTC. */
  left: number;
  sent: SentSubmission[];
}

/**
 * Asks Kaggle what was sent already. Throws UserError, saying what to do, where there is no `kaggle` command, where it does not know
 * the user, or where the competition's rules were not accepted.
 */
export async function askAllowance(now: Date): Promise<Allowance> {
  const sent = await listSent();
  const today = now.toISOString().slice(0, 10);
  const used = sent.filter(({ date }) => date.startsWith(today)).length;
  return { left: Math.max(0, SUBMISSIONS_A_DAY - used), sent };
}

/** Says how many submissions are left today and how many count in the end. */
export function sayAllowance({ left }: Allowance, terminal: Terminal): void {
  terminal.say(`Kaggle       ${left} of ${SUBMISSIONS_A_DAY} submissions left today (a day ends at 00:00 UTC)`);
  terminal.say(`             ${FINAL_SUBMISSIONS} submissions count in the end: choose them at ${PAGE}/submissions`);
}

/** Throws UserError where nothing may be sent any more today; what was sent before needs nothing more. */
export function requireAllowance({ left, sent }: Allowance, id: string | undefined): void {
  if (left > 0 || sent.some(({ description }) => description === id)) return;
  throw new UserError(`All ${SUBMISSIONS_A_DAY} submissions of today are used: a new day begins at 00:00 UTC.`);
}

/**
 * Sends a submission with its id as the message, unless it was sent before, and waits for its scores; undefined where they did not
 * come in time. Throws UserError where Kaggle refuses it, or where it was sent so long ago that Kaggle lists it no more.
 */
export async function sendToKaggle(
  submission: BuiltFiles,
  { signal, patience = PATIENCE }: { signal: AbortSignal; patience?: Patience | undefined },
  terminal: Terminal,
): Promise<KaggleScores | undefined> {
  const { id, sent } = submission;
  const find = async () => (await listSent()).find(({ description }) => description === id);
  const before = await find();
  if (before === undefined && sent !== undefined) {
    throw new UserError(
      `${id} was sent at ${sent} and is not among the last ones that Kaggle lists. See ${PAGE}/submissions, and write its score ` +
        `down with \`npm run leaderboard record ${id} public=…\`.`,
    );
  }
  if (before === undefined) await sendNow(submission);
  terminal.say(before === undefined ? `sent         ${id}` : `sent before  ${id}, at ${before.date} UTC`);
  const until = Date.now() + patience.forMs;
  for (let listed = before; Date.now() < until; listed = await find()) {
    if (listed?.status === 'complete') return listed.scores;
    if (listed?.status === 'error')
      throw new UserError(`Kaggle refused ${id}: see ${PAGE}/submissions for the reason.`);
    await sleep(patience.everyMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  return undefined;
}

/** That it was sent is written down at once: Kaggle's tool lists the last twenty alone. */
async function sendNow(submission: BuiltFiles): Promise<void> {
  await kaggle(['competitions', 'submit', KAGGLE_COMPETITION, '-f', csvPath(submission), '-m', submission.id]);
  const now = new Date();
  await recordScores(submission, { sent: now.toISOString() }, now);
}

async function listSent(): Promise<SentSubmission[]> {
  const text = await kaggle(['competitions', 'submissions', KAGGLE_COMPETITION, '--csv']);
  // Sentences about newer versions may come first, and one that nothing was sent instead of a table.
  const lines = text.split('\n');
  const head = lines.findIndex((line) => line.includes('description') && line.includes('publicScore'));
  if (head < 0) return [];
  const rows = parse(lines.slice(head).join('\n'), { columns: true, relax_column_count: true, skip_empty_lines: true });
  return (rows as Record<string, string | undefined>[]).map((row) => ({
    description: row.description ?? '',
    // Newer versions of the tool write `SubmissionStatus.COMPLETE`.
    status: (row.status ?? '').split('.').at(-1)!.toLowerCase(),
    date: row.date ?? '',
    scores: { ...readScore('public', row.publicScore), ...readScore('private', row.privateScore) },
  }));
}

function readScore(key: keyof KaggleScores, text = ''): KaggleScores {
  const score = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(score) ? { [key]: score } : {};
}

async function kaggle(words: readonly string[]): Promise<string> {
  const result = await execa('kaggle', words, { reject: false, stdin: 'ignore', timeout: COMMAND_TIMEOUT_MS });
  if (!result.failed) return result.stdout;
  if (result.code === 'ENOENT') {
    throw new UserError(
      'Expected the `kaggle` command on PATH but there is none. Install it with `pip install kaggle`, make a token at ' +
        `${TOKENS}, put it where that page says, accept the rules at ${PAGE}/rules, ` +
        'and try again.',
    );
  }
  // Newer versions say on stdout what went wrong, at length; older ones end a traceback with it.
  const lines = `${result.stderr}\n${result.stdout}`.split('\n').filter((line) => line.trim() !== '');
  const said = [...new Set([...lines.slice(0, 1), ...lines.slice(-3)])].join('\n');
  const ended = `kaggle ${words.slice(0, 2).join(' ')} ended with ${result.exitCode ?? result.signal}`;
  throw new UserError(`${ended}:\n${said}\n${adviceOn(lines.join('\n'))}`);
}

function adviceOn(said: string): string {
  if (/403|forbidden|accept/i.test(said)) return `Join the competition and accept its rules at ${PAGE}/rules.`;
  if (/401|unauthori[sz]ed|authenticat|kaggle\.json|credential|username/i.test(said)) {
    return `Log in with \`kaggle auth login\`, or make a token at ${TOKENS} and put it where that page says.`;
  }
  if (/404|not found/i.test(said)) return `Is ${PAGE} still open to submissions?`;
  return 'Nothing is known to have been sent; `kaggle competitions submissions` shows it.';
}
