import { existsSync } from 'node:fs';
import type { Experiment } from '../config/experiment.ts';
import { resolvePath } from '../config/paths.ts';
import type { Terminal } from '../core/terminal.ts';
import { cataloguePath } from '../data/catalogue.ts';
import { drawFolds, writeFolds } from '../data/folds.ts';
import { labelsDigest } from '../data/folds-record.ts';
import { ingest } from '../data/ingest.ts';
import { openCatalogue } from '../data/open-catalogue.ts';
import { writePhantom } from '../data/phantom/index.ts';

/** Folds that it is cut into where all of them are to be trained. */
export const PHANTOM_FOLDS = 5;

/** The report's hold-out. */
const HOLDOUT = 0.15;

interface Preparation {
  cwd: string;
  signal: AbortSignal;
  /** The share that is validated on; the report's where it is left out. */
  holdout?: number;
  /** So many folds instead. */
  folds?: number;
}

/**
 * Where an experiment declares `data.phantom`, makes what is absent of it: the synthetic competition, its catalogue and
 * its folds. What is there is used as it is.
 */
export async function preparePhantom(
  { data, resolution }: Experiment,
  { cwd, signal, holdout = HOLDOUT, folds: k }: Preparation,
  terminal: Terminal,
): Promise<void> {
  if (data.phantom === undefined) return;
  const root = resolvePath(data.root, cwd);
  const folds = resolvePath(data.folds, cwd);
  if (!existsSync(root)) {
    terminal.say(`${data.root} is absent: making the synthetic competition that the experiment declares`);
    await writePhantom({ root, ...data.phantom, signal }, terminal);
  } else terminal.say(`${data.root} is there and used as it is; data.phantom says how to make it where it is absent`);
  if (!existsSync(cataloguePath(root))) await ingest({ root, resolution, signal }, terminal);
  if (existsSync(folds)) return;
  const { rows, labels: known } = await openCatalogue({ root }, terminal);
  const images = rows
    .filter((row) => row.labelled && row.quarantined === '')
    .map((row) => ({ ...row, id: row.imageId }));
  const draw = { ...(k === undefined ? { holdout } : { k }), group: 'patient', seed: data.phantom.seed } as const;
  const labels = labelsDigest(
    images.map(({ id }) => id),
    (id) => known.truth.get(id),
  );
  await writeFolds(folds, drawFolds(images, draw), { draw, labels });
  const cut = k === undefined ? `${Math.round(100 * holdout)} % held out` : `${k} of them`;
  terminal.say(`${data.folds}: folds drawn, ${cut}, grouped by patient`);
}
