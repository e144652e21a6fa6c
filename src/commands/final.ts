import { relative, resolve } from 'node:path';
import { FINAL_SUBMISSIONS } from '../core/competition.ts';
import type { Terminal } from '../core/terminal.ts';
import { type Final, finalsPath, markFinal, readFinals, unmarkFinal } from '../leaderboard/finals.ts';
import { findSubmission } from '../leaderboard/submission-files.ts';
import type { Command } from './command.ts';
import { readSwitch } from './values.ts';

/** `npm run final [submission]`: which of stage 2's submissions count in the end. */
export const finalCommand: Command = {
  name: 'final',
  summary: 'mark at most two submissions of stage 2 as final, or list them',
  usage: '[submission] [key=value …]',
  keys: {
    what: 'what it is, in words; default: its members',
    stage1: 'the stage-1 submission whose networks it must have; default: any; none: unchecked',
    remove: 'true: take its mark away',
  },
  overrides: false,
  run: async ({ words, values, cwd }, terminal) => {
    const folder = resolve(cwd, 'submissions');
    const finals = await change(words[0], values, { folder, cwd });
    if (finals.length === 0) terminal.say(`none of the ${FINAL_SUBMISSIONS} final submissions is marked`);
    for (const [place, each] of finals.entries()) sayFinal(place, each, terminal);
    if (finals.length > 0)
      terminal.say(`marks        ${relative(cwd, finalsPath(folder))}; choose the same ones on Kaggle`);
    return { json: { finals } };
  },
};

async function change(
  word: string | undefined,
  { what, stage1, remove }: Readonly<Record<string, string>>,
  { folder, cwd }: { folder: string; cwd: string },
): Promise<Final[]> {
  const removes = readSwitch('remove', remove);
  if (word === undefined) return await readFinals(folder);
  const submission = await findSubmission(word, folder, cwd);
  if (removes) return await unmarkFinal(submission.id, folder);
  return await markFinal(submission, { folder, what, stage1 });
}

function sayFinal(place: number, { id, what, stage1 }: Final, terminal: Terminal): void {
  terminal.say(`final ${place + 1}      ${id}`);
  terminal.say(`             ${what}`);
  terminal.say(
    `             ${stage1 === null ? 'its networks were not compared with stage 1’s' : `networks as in ${stage1}`}`,
  );
}
