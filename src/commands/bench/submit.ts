import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { readSettings } from '../../config/settings.ts';
import { sha256, writeFileAtomic } from '../../core/atomic-file.ts';
import { ensurePythonEnvironment } from '../../core/python-environment.ts';
import type { Terminal } from '../../core/terminal.ts';
import { readLabels } from '../../data/labels.ts';
import { diceOfRuns } from '../../metrics/dice.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { readWhole } from '../values.ts';
import { describeMachine } from './peers/machine.ts';
import { ensureRealLabels } from './rle/real-labels.ts';
import { measureBuild, measureComponents, measurePython, prepare } from './submit/measure.ts';
import { goalsOf, type SubmitFigures, submitReport } from './submit/report.ts';

/**
 * `npm run bench submit [images=3205]`: from stored probabilities of two members to a submission, here and with numpy and
 * OpenCV. Writes `reports/bench-submit.md`.
 */
export async function benchSubmit({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const images = readWhole('images', values.images ?? '3205');
  const seed = readWhole('seed', values.seed ?? '42');
  const { cacheDir } = await readSettings(cwd);
  const python = await ensurePython(cacheDir, terminal, signal);
  const labels =
    values.truth === undefined ? await ensureRealLabels(python, cacheDir, signal) : resolve(cwd, values.truth);
  const folder = await mkdtemp(join(tmpdir(), 'bench-submit-'));
  const [load] = loadavg();
  const processes = availableParallelism();
  try {
    const job = await prepare(folder, images, { seed, signal }, terminal);
    terminal.say('the harness builds …');
    const ours = await measureBuild(job, signal);
    terminal.say('numpy and OpenCV build …');
    const csv = join(folder, 'python.csv');
    const theirs = await measurePython(python, job, { labels, csv, processes, signal });
    terminal.say('components …');
    const components = await measureComponents(labels);
    const agreement = await compare(ours.csv, csv);
    const figures: SubmitFigures = { images, ours, python: theirs, components, agreement };
    const words = Object.entries(values).map(([key, value]) => ` ${key}=${value}`);
    const head = {
      command: `npm run bench submit${words.join('')}`,
      date: new Date().toISOString().slice(0, 10),
      machine: await describeMachine(),
      ...{ load: load!, processes },
    };
    const report = submitReport(head, figures);
    const to = resolve(cwd, 'reports/bench-submit.md');
    await writeFileAtomic(to, report);
    terminal.say(report);
    terminal.say(`${relative(cwd, to)} has the same.`);
    return { json: { ...figures, goals: goalsOf(figures), report: to } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Both sides' masks, image by image. */
async function compare(ours: string, theirs: string): Promise<SubmitFigures['agreement']> {
  const [a, b] = [await readLabels(ours), await readLabels(theirs)];
  const dice = a.rows.map(({ id }) => diceOfRuns(a.truth.get(id)!, b.truth.get(id)!));
  const same = a.rows.filter(({ rle }, row) => rle === b.rows[row]!.rle).length;
  return { dice: dice.reduce((sum, each) => sum + each, 0) / dice.length, same };
}

async function ensurePython(cacheDir: string, terminal: Terminal, signal: AbortSignal): Promise<string> {
  const requirements = join(import.meta.dirname, 'submit', 'requirements.txt');
  const digest = sha256(await readFile(requirements)).slice(0, 8);
  const environment = {
    folder: join(cacheDir, 'bench-peers', `opencv-${digest}`),
    ...{ label: 'bench', title: 'numpy and OpenCV', effort: 'half a minute, 150 MB' },
    install: ['--no-deps', '--requirement', requirements],
    otherwise: 'run the bench on a machine with Python',
  };
  return await ensurePythonEnvironment(environment, terminal, signal);
}
