import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** What the fake answers, and what it was asked. */
export interface FakeKaggle {
  /** Words of every call, in order. */
  calls(): Promise<string[][]>;
  /** What it lists from now on; sent ones are added behind. */
  list(rows: readonly FakeRow[]): Promise<void>;
  /** It fails with these words from now on; with undefined it works again. */
  failWith(words: string | undefined): Promise<void>;
}

export interface FakeRow {
  description: string;
  date: string;
  status: string;
  publicScore: string;
  privateScore: string;
}

/**
 * Puts a `kaggle` command first on PATH that keeps its state in a folder. What is sent is pending when it is listed for the first
 * time, and complete from then on, with 0.8608 and no private score.
 */
export async function installFakeKaggle(folder: string): Promise<FakeKaggle> {
  const [bin, state] = [join(folder, 'bin'), join(folder, 'kaggle.json')];
  await mkdir(bin, { recursive: true });
  await writeFile(
    join(bin, 'kaggle'),
    `#!${process.execPath}\n${PROGRAM.replace('STATE', () => JSON.stringify(state))}`,
  );
  await chmod(join(bin, 'kaggle'), 0o755);
  await writeFile(state, JSON.stringify({ calls: [], rows: [] }));
  process.env.PATH = `${bin}${delimiter}${process.env.PATH}`;
  const read = async () => JSON.parse(await readFile(state, 'utf8')) as { calls: string[][] };
  const change = async (changes: object) => await writeFile(state, JSON.stringify({ ...(await read()), ...changes }));
  return {
    calls: async () => (await read()).calls,
    list: (rows) => change({ rows }),
    failWith: (words) => change({ fails: words ?? '' }),
  };
}

const PROGRAM = `
const { readFileSync, writeFileSync } = require('node:fs');
const path = STATE;
const state = JSON.parse(readFileSync(path, 'utf8'));
const words = process.argv.slice(2);
state.calls.push(words);
const end = (code) => { writeFileSync(path, JSON.stringify(state)); process.exit(code); };
if (state.fails) { console.error(state.fails); end(1); }
if (words[1] === 'submit') {
  const at = (flag) => words[words.indexOf(flag) + 1];
  readFileSync(at('-f'));
  const date = new Date().toISOString().replace('T', ' ').slice(0, 19);
  state.rows.push({ description: at('-m'), date, status: 'SubmissionStatus.PENDING', publicScore: '', privateScore: '' });
  end(0);
}
console.log('Warning: Looks like you are using an outdated API Version, please consider updating');
if (state.rows.length === 0) { console.log('No submissions found'); end(0); }
console.log('fileName,date,description,status,publicScore,privateScore');
for (const row of state.rows) {
  console.log(['x.csv', row.date, row.description, row.status, row.publicScore, row.privateScore].join(','));
  if (row.status.endsWith('PENDING')) Object.assign(row, { status: 'SubmissionStatus.COMPLETE', publicScore: '0.8608' });
}
end(0);
`;
