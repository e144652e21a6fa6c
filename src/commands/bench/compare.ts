import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { execa } from 'execa';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { readWhole } from '../values.ts';
import { makeProject, type ProjectSize } from './compare/make-project.ts';
import { describeMachine, type Machine } from './peers/machine.ts';

/** As a user starts it: a process of its own. */
const CLI = join(import.meta.dirname, '../../cli.ts');

/** What an answer took, in seconds: the first time, and the median of the times after it. */
interface Answer {
  command: 'compare' | 'leaderboard';
  first: number;
  again: number;
}

/** What is promised of an answer. */
const GOAL_SECONDS = 3;
const AGAIN = 3;

/** `npm run bench compare`: how long `compare` and `leaderboard` take among many runs. Writes `reports/bench-compare.md`. */
export async function benchCompare({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const size: ProjectSize = {
    runs: readWhole('runs', values.runs ?? '200'),
    epochs: readWhole('epochs', values.epochs ?? '100'),
    updates: readWhole('updates', values.updates ?? '100'),
    submissions: readWhole('submissions', values.submissions ?? '50'),
  };
  const folder = await mkdtemp(join(tmpdir(), 'bench-compare-'));
  try {
    await makeProject(folder, size);
    const answers: Answer[] = [];
    for (const command of ['compare', 'leaderboard'] as const) {
      terminal.say(`${command}, once and ${AGAIN} times more`);
      const seconds: number[] = [];
      for (let time = 0; time <= AGAIN; time++) seconds.push(await measure(command, folder, signal));
      const [first, ...again] = seconds;
      answers.push({ command, first: first!, again: again.sort((a, b) => a - b)[Math.floor(AGAIN / 2)]! });
    }
    const words = Object.entries(values).map(([key, value]) => ` ${key}=${value}`);
    const report = reportOf(`npm run bench compare${words.join('')}`, size, answers, await describeMachine());
    const path = resolve(cwd, 'reports/bench-compare.md');
    await writeFileAtomic(path, report);
    terminal.say(report);
    terminal.say(`${relative(cwd, path)} has the same.`);
    return { json: { ...size, answers, report: path } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The whole command in a process of its own, its start and the report that it writes included. */
async function measure(command: string, folder: string, signal: AbortSignal): Promise<number> {
  const env = { INIT_CWD: folder, PNEUMOTHORAX_RUNS: 'runs' };
  const started = performance.now();
  await execa(process.execPath, ['--import', 'tsx', CLI, command], { env, cancelSignal: signal, stdin: 'ignore' });
  return (performance.now() - started) / 1000;
}

function reportOf(command: string, size: ProjectSize, answers: readonly Answer[], machine: Machine): string {
  const { runs, epochs, updates, submissions } = size;
  const rows = answers.map(({ command: of, first, again }) => {
    const reached = again < GOAL_SECONDS ? 'reached' : 'missed';
    return `| \`${of}\` | ${first.toFixed(2)} | ${again.toFixed(2)} | under ${GOAL_SECONDS} s: ${reached} |`;
  });
  return `# How long do \`compare\` and \`leaderboard\` take?

\`${command}\`

${runs} runs of ${epochs} epochs and ${updates} updates an epoch (${runs * epochs * (updates + 1)} lines of journal), each validated on 1,600 images,
and ${submissions} submissions of stage 1 with its truth. Each command is a process of its own, its start and its three reports included:
the first time it reads all journals, which a run that ends has read itself, and scores all submissions; from then on only what is
new (the median of ${AGAIN} times).

| | first, s | again, s | goal |
| --- | --- | --- | --- |
${rows.join('\n')}

- ${new Date().toISOString().slice(0, 10)}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}
- node ${process.versions.node}
`;
}
