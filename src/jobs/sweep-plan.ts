import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobsConfig } from '../config/jobs.ts';
import type { Halving } from '../config/sweep.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Trial, Unit } from './expand-sweep.ts';

/** A unit with all that it takes to run it anywhere. */
export interface PlannedUnit extends Unit {
  /** The id of its run, and so the name of its folder. */
  run_id: string;
  /** The words after `npm run`, without those of one attempt. */
  words: string[];
  /** The checkpoint that it starts from, where it does: `npm run gc` keeps it. */
  init?: { run: string; checkpoint: string };
  /** How many it trains, at the end. */
  epochs: number;
}

/** A sweep as it was begun: everything about it that does not change. */
export interface SweepPlan {
  format: 1;
  name: string;
  /** The sweep's own run, whose folder this lies in. */
  run_id: string;
  /** Its file as typed, and where its user stood. */
  file: string;
  cwd: string;
  /** The MLflow experiment of its runs. */
  experiment: string;
  trials: Trial[];
  units: PlannedUnit[];
  jobs: JobsConfig;
  retries: number;
  halving?: Halving;
}

/** What of the environment belongs to a run, wherever it is made. */
const PASSED_ON = /^(MLFLOW|PNEUMOTHORAX)_|^RAY_AUTH_TOKEN$/;

/** Where a sweep keeps what, in its run's folder. */
export function sweepFiles(sweepDir: string) {
  return {
    plan: join(sweepDir, 'sweep.json'),
    events: join(sweepDir, 'events.jsonl'),
    environment: join(sweepDir, 'environment.json'),
    requests: join(sweepDir, 'requests'),
    log: join(sweepDir, 'driver.log'),
    table: join(sweepDir, 'sweep.csv'),
    attempt: (unit: string, attempt: number) => join(sweepDir, 'attempts', `${unit}.${attempt}.json`),
  };
}

/** Writes a sweep down before its first unit runs; the environment, which may hold a password, for its user alone. */
export async function writePlan(sweepDir: string, plan: SweepPlan, environment: NodeJS.ProcessEnv): Promise<void> {
  const files = sweepFiles(sweepDir);
  const passed = Object.fromEntries(Object.entries(environment).filter(([key, value]) => PASSED_ON.test(key) && value));
  await writeFile(files.environment, JSON.stringify(passed), { mode: 0o600 });
  await mkdir(files.requests, { recursive: true });
  await mkdir(join(sweepDir, 'attempts'), { recursive: true });
  await writeFileAtomic(files.plan, JSON.stringify(plan));
}

/** Throws UserError where the folder holds no sweep. */
export async function readPlan(sweepDir: string): Promise<SweepPlan> {
  const { plan: path } = sweepFiles(sweepDir);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UserError(expected('a sweep', 'jobs', sweepDir, '`npm run jobs` lists them.'), { cause });
  });
  return JSON.parse(text) as SweepPlan;
}

/** The variables that a sweep was begun with. */
export async function readEnvironment(sweepDir: string): Promise<Record<string, string>> {
  return JSON.parse(await readFile(sweepFiles(sweepDir).environment, 'utf8')) as Record<string, string>;
}
