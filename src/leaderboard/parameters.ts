import type { RunSummary } from '../tracking/runs.ts';

/** A parameter that is not the same in all runs. */
export interface DifferingParameter {
  key: string;
  /** In the runs' order; undefined where a run does not have it. */
  values: (string | undefined)[];
}

/** The parameters that differ between runs, their names aside, in the order in which the runs declare them. */
export function findDiffering(runs: readonly RunSummary[]): DifferingParameter[] {
  const keys = new Set(runs.flatMap(({ record }) => Object.keys(record.params)));
  keys.delete('name');
  return [...keys].flatMap((key) => {
    const values = runs.map(({ record }) => record.params[key]);
    return new Set(values).size > 1 ? [{ key, values }] : [];
  });
}
