import { resolvePath } from '../config/paths.ts';
import type { Runs } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';
import { openCatalogue } from '../data/open-catalogue.ts';
import type { RunSummary } from '../tracking/runs.ts';

/** The labels of a run's data, by image id. */
export type TruthOf = (run: RunSummary) => Promise<ReadonlyMap<string, Runs>>;

/** Reads the labels of each data root once. The promise rejects with UserError where the data is not there, or changed. */
export function readTruths(cwd: string, terminal: Terminal): TruthOf {
  const read = new Map<string, Promise<ReadonlyMap<string, Runs>>>();
  return async ({ record }) => {
    const root = resolvePath(record.params['data.root'] ?? 'data', cwd);
    const truth = read.get(root) ?? openCatalogue({ root }, terminal).then(({ labels }) => labels.truth);
    read.set(root, truth);
    return await truth;
  };
}
