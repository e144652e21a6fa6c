import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { sha256 } from '../core/atomic-file.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { FoldImage } from '../data/draw-folds.ts';
import { extendFolds } from '../data/extend-folds.ts';
import { type DrawOptions, drawFolds, type FoldRow, readFolds, refuseExisting, writeFolds } from '../data/folds.ts';
import { type FoldFacts, foldsRecordPath, labelsDigest, readFoldsRecord } from '../data/folds-record.ts';
import { findLeakage, foldsOfPatients, hashesOf } from '../data/leakage.ts';
import { type LabelledCatalogue, openCatalogue } from '../data/open-catalogue.ts';
import { applyPatientTable, readPatientTable } from '../data/patient-table.ts';
import type { Command } from './command.ts';
import { sayFolds, sayLeakage, sayPatients } from './folds-report.ts';
import { readStage } from './ingest.ts';

const HOLDOUT = 0.15;
const SEED = 42;

/** `npm run folds data=… out=folds/x.csv`: draw folds once. */
export const foldsCommand: Command = {
  name: 'folds',
  summary: 'draw folds once, grouped by patient and stratified, with a leakage report',
  usage:
    'data=<folder> [out=folds/stratified-85-15.csv] [holdout=0.15 | k=5 | extend=folds/x.csv] [group=patient] ' +
    '[patients=<csv>] [seed=42]',
  keys: {
    data: 'the ingested data root',
    out: 'the file to write; an existing one is never overwritten',
    holdout: `the share that is held out as fold 0 (default ${HOLDOUT}); all other images always train`,
    k: 'draw this many folds instead of a hold-out',
    extend: 'keep the folds of this file, and put the labelled images that it does not name into them',
    group: 'patient (default): all images of a patient in one fold; none: every image for itself',
    patients: 'a CSV with the columns image_id and patient_id, which count before the tags of the files',
    seed: `the seed of the draw (default ${SEED})`,
    stage: 'whose labels; by default those that the data set was ingested with',
  },
  overrides: false,
  run: async ({ values, cwd }, terminal) => {
    if (values.data === undefined) throw new UserError('Name the data root: `npm run folds data=<folder>`.');
    const plan = await planDraw(values, cwd);
    const path = resolve(cwd, plan.out);
    await refuseExisting(path);
    const stage = readStage(values.stage);
    const root = resolve(cwd, values.data);
    const catalogue = await openCatalogue({ root, ...(stage === undefined ? {} : { stage }) }, terminal);
    const { images, patients } = await readImages(catalogue, { root, cwd, table: values.patients }, terminal);
    const folds = plan.draw(images);
    const leakage = findLeakage(folds, hashesOf(catalogue.rows));
    const labels = labelsDigest(
      folds.map((row) => row.imageId),
      (id) => catalogue.labels.truth.get(id),
    );
    await writeFolds(path, folds, { ...plan.facts, labels, ...(patients === undefined ? {} : { patients }), leakage });
    sayFolds(folds, images, terminal);
    sayLeakage(folds, leakage, terminal);
    terminal.say(`folds        ${path}`);
    terminal.say(`record       ${foldsRecordPath(path)}`);
    terminal.say(`Next: npm run exp <experiment.yml> data.root=${values.data} data.folds=${plan.out}`);
    const known = { images: folds.length, patients: foldsOfPatients(folds).size };
    return { json: { path, ...known, folds: new Set(folds.map((row) => row.fold)).size } };
  },
};

/** Where the folds go, how they come about, and what their record says of that. */
interface Plan {
  out: string;
  draw(images: readonly FoldImage[]): FoldRow[];
  facts: FoldFacts;
}

async function planDraw(values: Readonly<Record<string, string>>, cwd: string): Promise<Plan> {
  if (values.extend !== undefined) return await planExtension(values.extend, values, cwd);
  const options = readOptions(values);
  const out = values.out ?? defaultName(options);
  return { out, draw: (images) => drawFolds(images, options), facts: { draw: options } };
}

/** Group and seed are those of the file's record where no word says otherwise. */
async function planExtension(file: string, values: Readonly<Record<string, string>>, cwd: string): Promise<Plan> {
  const other = ['k', 'holdout'].find((key) => values[key] !== undefined);
  if (other !== undefined) {
    throw new UserError(
      expected(`no ${other} beside extend`, other, values[other], 'The folds are those of the file.'),
    );
  }
  if (values.out === undefined) throw new UserError('Name the file to write: `out=…`. The one that is extended stays.');
  const path = resolve(cwd, file);
  const rows = await readFolds(path);
  const before = (await readFoldsRecord(path))?.draw;
  const options = {
    group: readGroup(values.group) ?? before?.group ?? 'patient',
    seed: readSeed(values.seed) ?? before?.seed ?? SEED,
  };
  const source = { file: basename(file), sha256: sha256(await readFile(path)) };
  const facts = { draw: options, extends: source };
  return { out: values.out, draw: (images) => extendFolds(rows, images, options), facts };
}

/** The labelled and usable images with their patients, by the table where one is given. */
async function readImages(
  { rows }: LabelledCatalogue,
  { root, cwd, table }: { root: string; cwd: string; table: string | undefined },
  terminal: Terminal,
): Promise<{ images: FoldImage[]; patients: FoldFacts['patients'] }> {
  const labelled = rows.filter((row) => row.labelled && row.quarantined === '');
  if (labelled.length === 0) throw new UserError(expected('labelled images', root, 'none'));
  const images = labelled.map((row) => ({ ...row, id: row.imageId }));
  if (table === undefined) return { images, patients: undefined };
  const read = await readPatientTable(resolve(cwd, table));
  const named = applyPatientTable(images, read);
  const ids = new Set(images.map(({ id }) => id));
  const strange = [...read.patients.keys()].filter((id) => !ids.has(id)).length;
  sayPatients(basename(table), named.sources, strange, terminal);
  if (named.sources.table === 0) throw new UserError(expected('images of the data set', table, 'none of them'));
  return { images: named.images, patients: { file: basename(table), sha256: read.sha256 } };
}

function readOptions(values: Readonly<Record<string, string>>): DrawOptions {
  const group = readGroup(values.group) ?? 'patient';
  const seed = readSeed(values.seed) ?? SEED;
  const k = readNumber(values.k, 'k');
  const holdout = readNumber(values.holdout, 'holdout') ?? (k === undefined ? HOLDOUT : undefined);
  return { group, seed, ...(k === undefined ? {} : { k }), ...(holdout === undefined ? {} : { holdout }) };
}

function readGroup(text: string | undefined): DrawOptions['group'] | undefined {
  if (text === undefined || text === 'patient' || text === 'none') return text;
  throw new UserError(expected('patient or none', 'group', text));
}

function readSeed(text: string | undefined): number | undefined {
  const seed = readNumber(text, 'seed');
  if (seed !== undefined && !Number.isInteger(seed)) throw new UserError(expected('a whole number', 'seed', text));
  return seed;
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
