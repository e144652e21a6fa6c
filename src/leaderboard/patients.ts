import { existsSync } from 'node:fs';
import { resolvePath } from '../config/paths.ts';
import { cataloguePath, readCatalogue } from '../data/catalogue.ts';
import { readFolds } from '../data/folds.ts';
import type { RunSummary } from '../tracking/runs.ts';

/** Whose images are drawn together. */
export interface Patients {
  /** By image id; an image that is not here is a group of its own. */
  of: Map<string, string>;
  /** Where they were found, for a sentence: relative paths as the run declares them. */
  from: string[];
}

/** The patients of a run's images: those of its folds file, else of its data's catalogue. Throws UserError where one is damaged. */
export async function readPatients({ record }: RunSummary, ids: readonly string[], cwd: string): Promise<Patients> {
  const { 'data.folds': folds, 'data.root': root } = record.params;
  const patients: Patients = { of: new Map(), from: [] };
  const take = (where: string, rows: readonly { imageId: string; patientId: string }[]) => {
    const before = patients.of.size;
    for (const { imageId, patientId } of rows) {
      if (patientId !== '' && !patients.of.has(imageId)) patients.of.set(imageId, patientId);
    }
    if (patients.of.size > before) patients.from.push(where);
  };
  if (folds !== undefined && existsSync(resolvePath(folds, cwd))) take(folds, await readFolds(resolvePath(folds, cwd)));
  if (ids.every((id) => patients.of.has(id)) || root === undefined) return patients;
  const catalogue = cataloguePath(resolvePath(root, cwd));
  if (existsSync(catalogue)) take(`${root}/catalogue.csv`, await readCatalogue(resolvePath(root, cwd)));
  return patients;
}
