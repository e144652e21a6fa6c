import type { RunRecord } from './run-record.ts';

/** The tag by which the run of all folds says which run a fold's is. */
export function foldTag(fold: number): string {
  return `fold.${fold}`;
}

/** The ids of the runs that a run of all folds is made of, by fold, ascending; none of a run that trained itself. */
export function foldsOf({ tags }: Pick<RunRecord, 'tags'>): Map<number, string> {
  const folds = Object.entries(tags).flatMap(([key, id]) => {
    const fold = /^fold\.(\d+)$/.exec(key)?.[1];
    return fold === undefined ? [] : [[Number(fold), id] as const];
  });
  return new Map(folds.sort(([a], [b]) => a - b));
}
