import { relative, resolve } from 'node:path';
import { resolvePath } from '../config/paths.ts';
import { readSettings } from '../config/settings.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { writingTo } from '../data/disk.ts';
import { BOARD_COLUMNS, type Board, type BoardColumn, buildBoard } from '../leaderboard/board.ts';
import { boardJson } from '../leaderboard/board-json.ts';
import { boardMarkdown, boardPage } from '../leaderboard/board-page.ts';
import { agreementTable, boardTable, sayFinals, shakeUpTable } from '../leaderboard/board-tables.ts';
import { readFinals } from '../leaderboard/finals.ts';
import { offlineScores } from '../leaderboard/offline-scores.ts';
import { findSubmission, type KaggleScores, listSubmissions } from '../leaderboard/submission-files.ts';
import { listRuns } from '../tracking/runs.ts';
import type { Command, CommandArgs, CommandResult } from './command.ts';
import { sayTable } from './say-table.ts';
import { readSwitch } from './values.ts';

/** `npm run leaderboard`: every submission that was built; `record` writes down what Kaggle says of one. */
export const leaderboardCommand: Command = {
  name: 'leaderboard',
  summary: 'list every submission with its scores, or record what Kaggle says of one',
  usage: '[record] [submission] [key=value …]',
  keys: {
    public: 'record: its public score',
    private: 'record: its private score',
    kaggle: 'true: first ask Kaggle, with its own command, for the scores of everything that was sent',
    sort: `what to sort by: ${BOARD_COLUMNS.join(', ')} (public)`,
    truth: 'a label file of stage 2, where it is known: stage 2 is scored offline too',
    out: 'where the report goes, without its ending (reports/leaderboard)',
  },
  overrides: false,
  run: async (args, terminal) => {
    const [verb, word, ...more] = args.words;
    if (verb === undefined) return await show(args, terminal);
    if (verb === 'record' && word !== undefined && more.length === 0) return await record(word, args, terminal);
    const next = 'Type `npm run leaderboard` or `npm run leaderboard record <submission> public=0.8608`.';
    throw new UserError(expected('record and a submission', 'leaderboard', args.words, next));
  },
};

async function record(word: string, { values, cwd }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const { public: shown, private: hidden, ...others } = values;
  const other = Object.keys(others)[0];
  if (other !== undefined) throw new UserError(expected('public or private', 'leaderboard record', other));
  const scores: KaggleScores = { ...readScore('public', shown), ...readScore('private', hidden) };
  if (Object.keys(scores).length === 0) throw new UserError('Name a score: public=0.8608, private=0.8435 or both.');
  const submission = await findSubmission(word, resolve(cwd, 'submissions'), cwd);
  const { runsDir } = await readSettings(cwd);
  const { recordEverywhere } = await import('../leaderboard/record.ts');
  const runs = await recordEverywhere(submission, scores, { runsDir, now: new Date() }, terminal);
  terminal.say(
    `recorded     ${submission.id}: ${Object.entries(scores)
      .map((each) => each.join(' '))
      .join(', ')}`,
  );
  if (runs.length > 0) terminal.say(`Next: npm run sync ${runs.join(' ')}   # tags them in MLflow`);
  return { json: { id: submission.id, ...submission.scores, ...scores, runs } };
}

async function show({ values, cwd }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const { sort = 'public', truth, out = 'reports/leaderboard', kaggle, ...others } = values;
  const other = Object.keys(others)[0];
  if (other !== undefined)
    throw new UserError(`Name the submission: npm run leaderboard record <submission> ${other}=…`);
  const column = readColumn(sort);
  const asksKaggle = readSwitch('kaggle', kaggle);
  const folder = resolve(cwd, 'submissions');
  const { runsDir } = await readSettings(cwd);
  if (asksKaggle) await fetchScores(folder, runsDir, terminal);
  const submissions = await listSubmissions(folder);
  if (submissions.length === 0) {
    throw new UserError(
      `No submission was built in ${folder} yet: \`npm run submit submissions/quickstart.yml stage=1\`.`,
    );
  }
  const runs = await listRuns(runsDir);
  const truthFile = truth === undefined ? undefined : resolvePath(truth, cwd);
  const imagesOf = offlineScores(runs, { cwd, runsDir, truthFile });
  const board = await buildBoard(submissions, runs, { imagesOf, sort: column, finals: await readFinals(folder) });
  sayBoard(board, terminal);
  const base = resolvePath(out, cwd);
  const json = boardJson(board);
  const files = { page: `${base}.html`, markdown: `${base}.md`, data: `${base}.json` };
  await writingTo(base, async () => {
    await writeFileAtomic(files.page, await boardPage(board));
    await writeFileAtomic(files.markdown, boardMarkdown(board));
    await writeFileAtomic(files.data, `${JSON.stringify(json, null, 1)}\n`);
  });
  terminal.say(`report       ${relative(cwd, files.page)} (and .md, .json)`);
  return { json: { ...json, ...files } };
}

/** Records the scores of whatever was sent with an id of ours. What only this needs is loaded here: the list is to come at once. */
async function fetchScores(folder: string, runsDir: string, terminal: Terminal): Promise<void> {
  const { askAllowance, sayAllowance } = await import('../leaderboard/kaggle.ts');
  const { recordEverywhere } = await import('../leaderboard/record.ts');
  const allowance = await askAllowance(new Date());
  sayAllowance(allowance, terminal);
  for (const submission of await listSubmissions(folder)) {
    const scores = allowance.sent.find(({ description }) => description === submission.id)?.scores ?? {};
    const known: KaggleScores = { ...submission.scores, ...scores };
    if (JSON.stringify(known) === JSON.stringify(submission.scores)) continue;
    await recordEverywhere(submission, scores, { runsDir, now: new Date() }, terminal);
  }
}

function sayBoard(board: Board, terminal: Terminal): void {
  sayTable(boardTable(board), terminal);
  if (board.agreements.length > 0) sayTable(agreementTable(board), terminal);
  if (board.expectations.length > 0) sayTable(shakeUpTable(board), terminal);
  terminal.say(sayFinals(board));
}

function readScore(key: keyof KaggleScores, text: string | undefined): KaggleScores {
  if (text === undefined) return {};
  const score = text.trim() === '' ? Number.NaN : Number(text);
  if (score >= 0 && score <= 1) return { [key]: score };
  throw new UserError(expected('a score from 0 to 1', key, text));
}

function readColumn(text: string): BoardColumn {
  const column = BOARD_COLUMNS.find((each) => each === text);
  if (column !== undefined) return column;
  throw new UserError(expected(`one of ${BOARD_COLUMNS.join(', ')}`, 'sort', text));
}
