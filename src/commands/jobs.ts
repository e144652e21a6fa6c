import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSettings } from '../config/settings.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { createExecutor } from '../jobs/executors.ts';
import { readState } from '../jobs/follow-sweep.ts';
import { jobOf } from '../jobs/hand-over.ts';
import { makeRequest, type Request } from '../jobs/requests.ts';
import { isDriven, startDriver } from '../jobs/start-driver.ts';
import { readPlan, type SweepPlan } from '../jobs/sweep-plan.ts';
import { isOver, type SweepState } from '../jobs/sweep-state.ts';
import { findRun, listRuns, readRun } from '../tracking/runs.ts';
import { isSweep } from '../tracking/sweep-of.ts';
import type { Command, CommandResult } from './command.ts';
import { sayTable } from './say-table.ts';
import { followAndTell } from './sweep-result.ts';
import { sayUnits, showUnits } from './sweep-table.ts';
import { readSwitch } from './values.ts';

/** A request is watched for some seconds: so many times a tenth of one. */
const HEARD_AFTER = 50;

/** `npm run jobs [sweep] [unit]`: sweeps and their units: show, follow, cancel, pick up. */
export const jobsCommand: Command = {
  name: 'jobs',
  summary: 'show sweeps and their runs; follow, cancel, pick up, begin again',
  usage: '[sweep] [unit]',
  keys: {
    follow: 'true: say what happens until the sweep is over',
    cancel: 'true: tell the sweep, or the unit, to save and stop',
    resume: 'true: pick up a sweep that nobody drives any more',
    retry: 'failed or cancelled: begin those units again, each from its last checkpoint',
    logs: 'true: the end of what the unit has printed',
  },
  overrides: false,
  run: async ({ words: [name, unit], values, cwd, signal }, terminal) => {
    const { runsDir } = await readSettings(cwd);
    const wishes = readWishes(values, name, unit);
    if (name === undefined) return await listSweeps(runsDir, terminal);
    const { dir } = await findRun(runsDir, name);
    const plan = await readPlan(dir);
    if (unit !== undefined && !plan.units.some(({ id }) => id === unit)) {
      throw new UserError(
        expected(`a unit of ${plan.run_id}`, 'jobs', unit, `\`npm run jobs ${plan.run_id}\` lists them.`),
      );
    }
    if (wishes.logs) return await showLogs(dir, plan, unit!, terminal);
    // One that died behind its last unit has left the sweep's own run without an end.
    const isOpen = readState(dir, plan).over === undefined || readRun(runsDir, plan.run_id)?.status === 'RUNNING';
    if (wishes.cancel && isOpen) {
      await ask(dir, { cancel: unit ?? 'all' });
      terminal.say(`${unit ?? plan.run_id} is told to save and stop.`);
    } else if (wishes.cancel) terminal.say(`${plan.run_id} is over: nothing is left to cancel.`);
    if (wishes.retry) await ask(dir, { retry: wishes.retry });
    if (wishes.resume && isOpen) await startDriver(dir);
    if (wishes.follow) return await followAndTell(dir, plan, { runsDir, signal, fromNow: true }, terminal);
    return await showSweep(dir, plan, unit, runsDir, terminal);
  },
};

/** Whoever drives the sweep does what is asked for; one that is about to end may not hear it any more. */
async function ask(dir: string, request: Request): Promise<void> {
  const file = await makeRequest(dir, request);
  for (let asked = 0; asked < HEARD_AFTER && existsSync(file); asked++) {
    await startDriver(dir);
    await sleep(100);
  }
}

function readWishes(values: Readonly<Record<string, string>>, name: string | undefined, unit: string | undefined) {
  const { retry } = values;
  if (retry !== undefined && retry !== 'failed' && retry !== 'cancelled') {
    throw new UserError(expected('failed or cancelled', 'retry', retry));
  }
  const [follow, cancel, resume, logs] = ['follow', 'cancel', 'resume', 'logs'].map((key) =>
    readSwitch(key, values[key]),
  );
  const wishes = { follow, cancel, resume, logs, retry: retry as 'failed' | 'cancelled' | undefined };
  const asked = Object.entries(wishes)
    .filter(([, wanted]) => wanted)
    .map(([key]) => key);
  if (name === undefined && asked.length > 0)
    throw new UserError(expected(`a sweep for ${asked[0]}`, 'jobs', 'none', '`npm run jobs` lists them.'));
  if (wishes.logs && unit === undefined) throw new UserError(expected('a unit with logs=true', 'jobs', 'none'));
  if (unit !== undefined && (wishes.resume || wishes.retry)) {
    throw new UserError(expected(`a sweep alone with ${wishes.retry ? 'retry' : 'resume'}`, 'jobs', unit));
  }
  if (wishes.cancel && wishes.retry) throw new UserError(expected('one of cancel and retry', 'jobs', asked));
  return wishes;
}

async function listSweeps(runsDir: string, terminal: Terminal): Promise<CommandResult> {
  const runs = (await listRuns(runsDir)).filter(({ record }) => isSweep(record)).reverse();
  const sweeps: Record<string, unknown>[] = [];
  for (const { dir, run_id } of runs) {
    const plan = await readPlan(dir);
    sweeps.push({ run_id, executor: plan.jobs.executor, ...(await summarise(dir, plan, readState(dir, plan))) });
  }
  if (sweeps.length === 0) {
    terminal.say(`There are no sweeps under ${runsDir}.\nNext: npm run sweep experiments/sweeps/quickstart.yml`);
    return { json: { sweeps } };
  }
  const keys = ['run_id', 'status', 'executor', 'units', 'finished', 'running', 'waiting', 'failed'];
  const columns = keys.map((key) => ({ heading: key, numeric: typeof sweeps[0]![key] === 'number' }));
  sayTable(
    { caption: 'sweeps', columns, rows: sweeps.map((sweep) => keys.map((key) => String(sweep[key]))) },
    terminal,
  );
  terminal.say('Next: npm run jobs <run_id>');
  return { json: { sweeps } };
}

/** Where a sweep stands in numbers; `LEFT` where it is not over and nobody drives it. */
async function summarise(dir: string, { units }: SweepPlan, state: SweepState) {
  const states = [...state.units.values()];
  const count = (...wanted: string[]) => states.filter(({ status }) => wanted.includes(status)).length;
  return {
    status: state.over ?? ((await isDriven(dir)) ? 'RUNNING' : 'LEFT'),
    units: units.length,
    finished: count('finished'),
    running: count('handing', 'handed'),
    waiting: count('waiting', 'paused'),
    failed: count('failed', 'refused', 'skipped'),
    over: states.filter(isOver).length,
  };
}

async function showSweep(
  dir: string,
  plan: SweepPlan,
  only: string | undefined,
  runsDir: string,
  terminal: Terminal,
): Promise<CommandResult> {
  const state = readState(dir, plan);
  const summary = await summarise(dir, plan, state);
  const live = await askEngine(plan, state, terminal);
  const units = showUnits(plan, state, runsDir, live).filter(({ unit }) => only === undefined || unit === only);
  sayUnits(units, terminal);
  for (const { epoch, kept, stopped, limit } of state.halvings) {
    terminal.say(
      `halved at epoch ${epoch}: ${kept.length} trials went on (Dice from ${limit.toFixed(4)}), ${stopped.length} stopped`,
    );
  }
  terminal.say(`\nsweep        ${plan.run_id} ${summary.status}: ${summary.over} of ${summary.units} runs are over`);
  terminal.say(`files        ${dir}`);
  if (summary.status === 'LEFT') terminal.say(`Next: npm run jobs ${plan.run_id} resume=true picks it up.`);
  else if (summary.status === 'RUNNING') terminal.say(`Next: npm run jobs ${plan.run_id} follow=true`);
  return { json: { run_id: plan.run_id, run_dir: dir, ...summary, units, halvings: state.halvings } };
}

/** What the engine says of the jobs that it has: `queued` and `running`; one that is gone is about to be noted as ended. */
async function askEngine(plan: SweepPlan, state: SweepState, terminal: Terminal): Promise<Map<string, string>> {
  const handed = [...state.units].filter(([, { status }]) => status === 'handed');
  if (handed.length === 0) return new Map();
  const executor = await createExecutor(plan.jobs, { sweep: plan.run_id, terminal });
  try {
    const states = await executor.status(handed.map(([, { handle }]) => handle!));
    return new Map(handed.map(([id, { handle }]) => [id, SHOWN[states.get(handle!) ?? 'gone']]));
  } catch (error) {
    terminal.warn(messageOf(error));
    return new Map();
  }
}

const SHOWN = { waiting: 'queued', running: 'running', gone: 'ending' } as const;

async function showLogs(dir: string, plan: SweepPlan, id: string, terminal: Terminal): Promise<CommandResult> {
  const state = readState(dir, plan);
  const unit = plan.units.find((each) => each.id === id)!;
  const { attempts, handle = '' } = state.units.get(id)!;
  const executor = await createExecutor(plan.jobs, { sweep: plan.run_id, terminal });
  const log = attempts === 0 ? '' : await executor.logs(handle, jobOf({ plan, dir, state }, unit));
  terminal.say(log === '' ? `${id} has printed nothing yet.` : log.trimEnd());
  return { json: { unit: id, attempt: attempts, log } };
}
