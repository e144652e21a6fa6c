import { resolve } from 'node:path';
import Table from 'cli-table3';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { CatalogueRow } from '../data/catalogue.ts';
import { type DrawOptions, drawFolds, type FoldRow, refuseExisting, writeFolds } from '../data/folds.ts';
import { openCatalogue } from '../data/open-catalogue.ts';
import type { Command } from './command.ts';
import { readStage } from './ingest.ts';

const HOLDOUT = 0.15;
const SEED = 42;

/** `npm run folds data=… out=folds/x.csv`: draw folds once. */
export const foldsCommand: Command = {
  name: 'folds',
  summary: 'draw folds once, grouped by patient and stratified, with a leakage report',
  usage: 'data=<folder> [out=folds/stratified-85-15.csv] [holdout=0.15 | k=5] [group=patient] [seed=42]',
  keys: {
    data: 'the ingested data root',
    out: 'the file to write; an existing one is never overwritten',
    holdout: `the share that is held out as fold 0 (default ${HOLDOUT}); all other images always train`,
    k: 'draw this many folds instead of a hold-out',
    group: 'patient (default): all images of a patient in one fold; none: every image for itself',
    seed: `the seed of the draw (default ${SEED})`,
    stage: 'whose labels; by default those that the data set was ingested with',
  },
  overrides: false,
  run: async ({ values, cwd }, terminal) => {
    if (values.data === undefined) throw new UserError('Name the data root: `npm run folds data=<folder>`.');
    const options = readOptions(values);
    const out = values.out ?? defaultName(options);
    const path = resolve(cwd, out);
    await refuseExisting(path);
    const stage = readStage(values.stage);
    const root = resolve(cwd, values.data);
    const { rows } = await openCatalogue({ root, ...(stage === undefined ? {} : { stage }) }, terminal);
    const labelled = rows.filter((row) => row.labelled && row.quarantined === '');
    if (labelled.length === 0) throw new UserError(expected('labelled images', root, 'none'));
    const images = labelled.map((row) => ({ ...row, id: row.imageId }));
    const folds = drawFolds(images, options);
    await writeFolds(path, folds);
    const patients = speak(folds, labelled, terminal);
    terminal.say(`folds        ${path}`);
    terminal.say(`Next: npm run exp <experiment.yml> data.root=${values.data} data.folds=${out}`);
    return { json: { path, images: folds.length, patients, folds: new Set(folds.map((row) => row.fold)).size } };
  },
};

function readOptions(values: Readonly<Record<string, string>>): DrawOptions {
  const group = values.group ?? 'patient';
  if (group !== 'patient' && group !== 'none') throw new UserError(expected('patient or none', 'group', group));
  const seed = readNumber(values.seed, 'seed') ?? SEED;
  if (!Number.isInteger(seed)) throw new UserError(expected('a whole number', 'seed', values.seed));
  const k = readNumber(values.k, 'k');
  const holdout = readNumber(values.holdout, 'holdout') ?? (k === undefined ? HOLDOUT : undefined);
  return { group, seed, ...(k === undefined ? {} : { k }), ...(holdout === undefined ? {} : { holdout }) };
}

function readNumber(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new UserError(expected('a number', name, text));
  return value;
}

/** `folds/stratified-85-15.csv` or `folds/stratified-5-folds.csv`. */
function defaultName({ k, holdout = HOLDOUT }: DrawOptions): string {
  const held = Math.round(100 * holdout);
  return k === undefined ? `folds/stratified-${100 - held}-${held}.csv` : `folds/stratified-${k}-folds.csv`;
}

/** Prints the table and the leakage line; returns the number of patients. */
function speak(folds: readonly FoldRow[], images: readonly CatalogueRow[], terminal: Terminal): number {
  const table = new Table({ head: ['fold', 'images', 'positive', 'patients'], style: { head: [], border: [] } });
  const positive = new Map(images.map((row) => [row.imageId, row.positive]));
  const names = [...new Set(folds.map((row) => row.fold))].sort((a, b) => a - b);
  const foldsOfPatient = new Map<string, Set<number>>();
  for (const { patientId, fold } of folds) {
    if (patientId === '') continue;
    foldsOfPatient.set(patientId, (foldsOfPatient.get(patientId) ?? new Set()).add(fold));
  }
  for (const fold of names) {
    const rows = folds.filter((row) => row.fold === fold);
    const share = (100 * rows.filter((row) => positive.get(row.imageId)).length) / rows.length;
    const patients = [...foldsOfPatient.values()].filter((each) => each.has(fold)).length;
    table.push([fold === -1 ? '-1 (always trains)' : fold, rows.length, `${share.toFixed(1)} %`, patients]);
  }
  terminal.say(table.toString());
  const leaking = [...foldsOfPatient.values()].filter((each) => each.size > 1).length;
  terminal.say(`leakage      ${leaking} of ${foldsOfPatient.size} patients have images in more than one fold`);
  const unknown = folds.filter((row) => row.patientId === '').length;
  if (unknown > 0) {
    terminal.warn(
      `${unknown} images have no patient id: each is a group of its own, and leakage among them cannot be seen.`,
    );
  }
  return foldsOfPatient.size;
}
