import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expected, UserError } from '../core/errors.ts';
import { JOURNAL_FILE } from './journal.ts';
import type { RunStatus } from './journal-entry.ts';
import { readPosition } from './position.ts';
import { readRecord } from './read-record.ts';
import type { RunRecord } from './run-record.ts';

/** One run under `runs/`. */
export interface RunSummary {
  /** The name of its folder. */
  run_id: string;
  name: string;
  /** By its journal's last `end`; RUNNING while it has none, or was taken up again since. */
  status: RunStatus;
  dir: string;
  /** Its resolved configuration. */
  config: string;
  mlflow_run_id?: string;
  /** What its journal comes to. */
  record: RunRecord;
}

/** The runs under `runsDir`, oldest first (by folder name, which begins with the time); none where there is no folder. */
export async function listRuns(runsDir: string): Promise<RunSummary[]> {
  const entries = await readdir(runsDir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new UserError(expected('a folder of runs', 'PNEUMOTHORAX_RUNS', runsDir), { cause: error });
  });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const runs = names.sort().map((name) => readRun(runsDir, name));
  return runs.filter((run) => run !== undefined);
}

/**
 * The run that a reference means: a run id (folder name), an MLflow run id, or a name that exactly one FINISHED run has.
 * Throws UserError with the runs to choose from.
 */
export async function findRun(runsDir: string, reference: string): Promise<RunSummary> {
  // Of hundreds of runs the one that is named by its folder is the only one that has to be read.
  const own = basename(reference) === reference ? readRun(runsDir, reference) : undefined;
  if (own !== undefined) return own;
  const runs = await listRuns(runsDir);
  const exact = runs.find((run) => run.mlflow_run_id === reference);
  if (exact !== undefined) return exact;
  const named = runs.filter((run) => run.name === reference);
  const finished = named.filter((run) => run.status === 'FINISHED');
  if (finished.length === 1) return finished[0]!;
  throw new UserError(refusal(reference, runsDir, runs, named, finished));
}

/** The run in a folder under `runsDir`; undefined where there is none. */
export function readRun(runsDir: string, folder: string): RunSummary | undefined {
  const dir = join(runsDir, folder);
  if (!existsSync(join(dir, JOURNAL_FILE))) return undefined;
  const record = readRecord(dir);
  if (record === undefined || record.name === '') return undefined;
  const mlflow = readPosition(dir)?.run_id;
  return {
    run_id: folder,
    name: record.name,
    status: record.status,
    dir,
    config: join(dir, 'config.yml'),
    ...(mlflow === undefined ? {} : { mlflow_run_id: mlflow }),
    record,
  };
}

function refusal(
  reference: string,
  runsDir: string,
  runs: readonly RunSummary[],
  named: readonly RunSummary[],
  finished: readonly RunSummary[],
): string {
  const begin = `Expected a run id, an MLflow run id or the name of exactly one finished run but received "${reference}"`;
  if (finished.length > 1)
    return `${begin}: ${finished.length} finished runs have it. Name one by its id:${list(finished)}`;
  if (named.length > 0) return `${begin}: no run of that name has finished. Name one by its id:${list(named)}`;
  if (runs.length === 0) return `${begin}: there are no runs under ${runsDir}. Train one with \`npm run exp\`.`;
  return `${begin}. The runs most like it:${list(mostLike(reference, runs))}`;
}

function list(runs: readonly RunSummary[]): string {
  return runs.map((run) => `\n  ${run.run_id}  ${run.name}  ${run.status}`).join('');
}

/** Up to ten runs, those first that share most pairs of neighbouring letters with the word (Dice, 1945), newest first among equals. */
function mostLike(word: string, runs: readonly RunSummary[]): RunSummary[] {
  const likeness = (run: RunSummary) => Math.max(sharedPairs(word, run.name), sharedPairs(word, run.run_id));
  const ranked = runs.map((run) => ({ run, likeness: likeness(run) })).reverse();
  return ranked
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, 10)
    .map(({ run }) => run);
}

function sharedPairs(a: string, b: string): number {
  const pairs = (text: string) => new Set([...text.slice(1)].map((letter, i) => text[i]! + letter));
  const [first, second] = [pairs(a.toLowerCase()), pairs(b.toLowerCase())];
  const shared = [...first].filter((pair) => second.has(pair)).length;
  return (2 * shared) / Math.max(1, first.size + second.size);
}
