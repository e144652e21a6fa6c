import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { execa } from 'execa';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import type { Terminal } from '../../core/terminal.ts';
import { writeAttempt } from '../../jobs/attempt.ts';
import { driveSweep } from '../../jobs/drive-sweep.ts';
import { jobCommand } from '../../jobs/executor.ts';
import { createExecutor, PROJECT } from '../../jobs/executors.ts';
import { openEvents } from '../../jobs/sweep-events.ts';
import { type SweepPlan, sweepFiles, writePlan } from '../../jobs/sweep-plan.ts';
import { initialState, takeEvent } from '../../jobs/sweep-state.ts';
import { indexUnits } from '../../jobs/sweeping.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { readWhole } from '../values.ts';
import { describeMachine, type Machine } from './peers/machine.ts';

/** What is promised of the driving of a unit, in milliseconds. */
const GOAL_MS = 50;
/** Its memory is read once so many units have ended, and at the end. */
const WARM = 20;
/** A unit that does next to nothing. */
const WORDS = ['help', 'json=true'];

interface Driven {
  wall_s: number;
  cpu_s: number;
  /** Resident bytes of this process once WARM units had ended, and at the end, each after a collection of garbage where Node allows. */
  warm_bytes: number;
  end_bytes: number;
}

/** `npm run bench sweep`: what the driving of a sweep costs beside its units. Writes `reports/bench-sweep.md`. */
export async function benchSweep({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const units = readWhole('units', values.units ?? '200', 2 * WARM);
  const atOnce = readWhole('at_once', values.at_once ?? '2', 1, 99);
  const folder = await mkdtemp(join(tmpdir(), 'bench-sweep-'));
  try {
    terminal.say(`${units} units by hand, ${atOnce} at once`);
    const plain = await runPlain(folder, units, atOnce, signal);
    terminal.say(`${units} units by a sweep, ${atOnce} at once`);
    const driven = await runDriven(folder, units, atOnce, signal, terminal);
    const words = Object.entries(values).map(([key, value]) => ` ${key}=${value}`);
    const report = reportOf(
      `npm run bench sweep${words.join('')}`,
      { units, atOnce, plain, driven },
      await describeMachine(),
    );
    const path = resolve(cwd, 'reports/bench-sweep.md');
    await writeFileAtomic(path, report);
    terminal.say(report);
    terminal.say(`${relative(cwd, path)} has the same.`);
    return { json: { units, at_once: atOnce, plain_s: plain, ...driven, report: path } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same processes, each begun as soon as one before it has ended, by nobody who keeps a book; in seconds. */
async function runPlain(folder: string, units: number, atOnce: number, signal: AbortSignal): Promise<number> {
  const environment = join(folder, 'environment.json');
  await writeFileAtomic(environment, '{}');
  const files: string[] = [];
  for (let unit = 0; unit < units; unit++) {
    const file = join(folder, `plain-${unit}.json`);
    await writeAttempt(file, { words: WORDS, cwd: folder, environment });
    files.push(file);
  }
  const started = performance.now();
  const work = async () => {
    for (let file = files.pop(); file !== undefined; file = files.pop()) {
      const [, ...words] = jobCommand({ id: '', file });
      await execa(process.execPath, words, { cwd: PROJECT, cancelSignal: signal, stdio: 'ignore' });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return (performance.now() - started) / 1000;
}

async function runDriven(
  folder: string,
  units: number,
  atOnce: number,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<Driven> {
  const dir = join(folder, 'runs', 'bench');
  const plan = planOf(units, folder, atOnce);
  await writeFileAtomic(join(dir, '.made'), '');
  await writePlan(dir, plan, {});
  const executor = await createExecutor(plan.jobs, { sweep: plan.run_id, terminal });
  const state = initialState(plan);
  let ended = 0;
  let warm = 0;
  const log = openEvents(sweepFiles(dir).events, (event) => {
    takeEvent(state, event);
    if (event.type === 'ended' && ++ended === WARM) warm = residentBytes();
  });
  const closeRun = async () => {};
  const before = process.cpuUsage();
  const started = performance.now();
  const sweep = {
    dir,
    runsDir: join(folder, 'runs'),
    plan,
    state,
    log,
    executor,
    terminal,
    ...indexUnits(plan, state),
    closeRun,
  };
  const status = await driveSweep(sweep, signal);
  const wall = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  log.close();
  if (status !== 'FINISHED') throw new Error(`Expected all units to finish but the sweep is ${status}.`);
  return { wall_s: wall, cpu_s: (user + system) / 1e6, warm_bytes: warm, end_bytes: residentBytes() };
}

function planOf(count: number, folder: string, atOnce: number): SweepPlan {
  const units = Array.from({ length: count }, (_, index) => {
    const id = `t${index + 1}`;
    return { id, trial: id, stage: 0, file: 'none.yml', run_id: `bench-${id}`, words: WORDS, epochs: 1 };
  });
  const trials = units.map(({ id }) => ({ id, changes: {} }));
  const named = { format: 1, name: 'bench', run_id: 'bench', file: 'bench', cwd: folder, experiment: 'bench' } as const;
  return { ...named, trials, units, jobs: { executor: 'local', at_once: atOnce }, retries: 0 };
}

function residentBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss();
}

function reportOf(
  command: string,
  { units, atOnce, plain, driven }: { units: number; atOnce: number; plain: number; driven: Driven },
  machine: Machine,
): string {
  const wall = ((driven.wall_s - plain) / units) * 1000;
  const cpu = (driven.cpu_s / units) * 1000;
  const reached = Math.max(wall, cpu) < GOAL_MS ? 'reached' : 'missed';
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  return `# What does the driving of a sweep cost?

\`${command}\`

${units} units that do next to nothing (\`npm run ${WORDS[0]}\`), ${atOnce} at once on this machine: by a bare loop that begins the same processes,
and by a sweep, which writes down what it does, asks how each ended and decides what follows.

| | |
| --- | --- |
| by the bare loop | ${plain.toFixed(1)} s |
| by the sweep | ${driven.wall_s.toFixed(1)} s |
| the sweep's own time for each unit (the difference) | ${wall.toFixed(1)} ms |
| the sweep's own computing time for each unit | ${cpu.toFixed(1)} ms |
| promised: both under ${GOAL_MS} ms | ${reached} |
| resident memory of the process that drives after ${WARM} units | ${megabytes(driven.warm_bytes)} MB |
| after ${units} units | ${megabytes(driven.end_bytes)} MB |

- ${new Date().toISOString().slice(0, 10)}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}
- node ${process.versions.node}
`;
}
