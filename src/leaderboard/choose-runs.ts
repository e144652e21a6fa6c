import { didYouMean } from '../config/nearest.ts';
import { expected, UserError } from '../core/errors.ts';
import { findRun, listRuns, type RunSummary } from '../tracking/runs.ts';

/** Which runs are asked for. */
export interface RunChoice {
  /** Run ids, MLflow run ids, names (every run of the name), or patterns with `*`; all runs where there is none. */
  words: readonly string[];
  /** Parameters, or `status`, `name` or `run_id`, and the value or pattern that a run must have. */
  filters: Readonly<Record<string, string>>;
}

/**
 * The runs under `runsDir` that a choice means, oldest first. Without any word, runs that never validated are left out.
 * Throws UserError where a word or a filter means none.
 */
export async function chooseRuns(runsDir: string, { words, filters }: RunChoice): Promise<RunSummary[]> {
  const all = await listRuns(runsDir);
  const named = words.length === 0 ? all.filter(hasValidated) : await findNamed(all, words, runsDir);
  requireKeys(named, filters);
  const chosen = named.filter((run) => Object.entries(filters).every(([key, value]) => fits(run, key, value)));
  if (chosen.length > 0) return chosen;
  const asked = [...words, ...Object.entries(filters).map(([key, value]) => `${key}=${value}`)].join(' ');
  if (asked !== '') throw new UserError(expected('runs', 'compare', asked, `None of ${named.length} runs is so.`));
  throw new UserError(`No run under ${runsDir} has been validated yet. Train one with \`npm run exp\`.`);
}

function hasValidated({ record }: RunSummary): boolean {
  return record.epochs.length > 0 || record.chosen !== null;
}

async function findNamed(all: readonly RunSummary[], words: readonly string[], runsDir: string): Promise<RunSummary[]> {
  const found = new Set<RunSummary>();
  for (const word of words) {
    const matches = all.filter((run) =>
      [run.run_id, run.name, run.mlflow_run_id ?? ''].some((text) => like(text, word)),
    );
    // It throws, with the runs that are most like the word.
    if (matches.length === 0) await findRun(runsDir, word);
    for (const run of matches) found.add(run);
  }
  return all.filter((run) => found.has(run));
}

function requireKeys(runs: readonly RunSummary[], filters: Readonly<Record<string, string>>): void {
  const known = new Set(runs.flatMap((run) => Object.keys(factsOf(run))));
  for (const key of Object.keys(filters)) {
    if (known.has(key)) continue;
    throw new UserError(expected('a parameter of the runs', 'a filter', key, didYouMean(key, [...known])));
  }
}

function fits(run: RunSummary, key: string, wanted: string): boolean {
  const value = factsOf(run)[key];
  return value !== undefined && (like(value, wanted) || sameNumber(value, wanted));
}

function factsOf({ run_id, name, status, record }: RunSummary): Record<string, string> {
  return { ...record.params, run_id, name, status };
}

/** Whether a text is the word, in which `*` stands for anything. */
function like(text: string, word: string): boolean {
  if (!word.includes('*')) return text === word;
  const parts = word.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}

/** `1e-3` is `0.001`. */
function sameNumber(value: string, wanted: string): boolean {
  return wanted.trim() !== '' && value.trim() !== '' && Number(value) === Number(wanted);
}
