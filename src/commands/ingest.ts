import { resolve } from 'node:path';
import { MASK_SIZE, STAGES, type Stage } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { type IngestReport, ingest } from '../data/ingest.ts';
import { type IngestSummary, summarise } from '../data/ingest-report.ts';
import type { Command } from './command.ts';

/** How many odd things of one kind are listed; catalogue.csv has them all. */
const LISTED = 5;

/** `npm run ingest data=…`: verify, decode, catalogue and cache a download. */
export const ingestCommand: Command = {
  name: 'ingest',
  summary: 'verify, decode, catalogue and cache a download of the competition',
  usage: 'data=<folder> [resolution=512] [stage=2] [strict=true]',
  keys: {
    data: 'the data root: the folder that holds dicom-images-train/, stage_2_images/, train-rle.csv, …',
    resolution: 'build the pixel cache at this side too; else the first run that needs one does',
    stage: "2: take the labels of stage_2_train.csv, which cover stage 1's test images; default 1: train-rle.csv",
    strict: 'true: stop at the first file that cannot be used instead of setting it aside',
  },
  overrides: false,
  run: async ({ values, cwd, signal }, terminal) => {
    if (values.data === undefined) throw new UserError('Name the data root: `npm run ingest data=<folder>`.');
    const root = resolve(cwd, values.data);
    const resolution = readResolution(values.resolution);
    const stage = readStage(values.stage);
    const report = await ingest(
      {
        root,
        signal,
        strict: readFlag(values.strict, 'strict'),
        ...(resolution === undefined ? {} : { resolution }),
        ...(stage === undefined ? {} : { stage }),
      },
      terminal,
    );
    const counts = summarise(report);
    speak(report, counts, terminal);
    terminal.say(`Next: npm run folds data=${values.data}${stage === undefined ? '' : ` stage=${stage}`}`);
    const { images, labelled, unlabelled, positives, quarantined } = counts;
    return {
      json: { images, labelled, unlabelled, positives, quarantined, cache: report.cache },
      exitCode: quarantined > 0 ? 3 : 0,
    };
  },
};

/** Reads `stage=`. Throws UserError where it is neither 1 nor 2. */
export function readStage(text: string | undefined): Stage | undefined {
  if (text === undefined) return undefined;
  const stage = STAGES.find((each) => String(each) === text);
  if (stage === undefined) throw new UserError(expected(STAGES.join(' or '), 'stage', text));
  return stage;
}

function readResolution(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (value > 0 && value % 32 === 0 && value <= MASK_SIZE) return value;
  throw new UserError(expected(`a multiple of 32 up to ${MASK_SIZE}`, 'resolution', text));
}

function readFlag(text: string | undefined, name: string): boolean {
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw new UserError(expected('true or false', name, text));
}

function speak(report: IngestReport, counts: IngestSummary, terminal: Terminal): void {
  const odd = (label: string, items: readonly string[]) => {
    if (items.length === 0) return;
    terminal.warn(`${items.length} ${label}:`);
    for (const item of items.slice(0, LISTED)) terminal.warn(`  ${item}`);
    if (items.length > LISTED) terminal.warn(`  … and ${items.length - LISTED} more`);
  };
  odd('files cannot be used and are set aside', counts.quarantinedReasons);
  odd(
    'images have no label row where one is expected; they are left out, not taken as negative',
    counts.oddlyUnlabelled,
  );
  odd('label rows name an image that is not there', report.withoutImage);
  odd('images have notes', counts.notes);
  const labels = report.labelFile === undefined ? 'none' : `${report.labelFile.path} (${report.dialect})`;
  terminal.say(`images       ${counts.images} (${counts.bySet})`);
  terminal.say(`labels       ${labels}`);
  terminal.say(`labelled     ${counts.labelled}, of them ${counts.positives} positive`);
  terminal.say(
    `unlabelled   ${counts.unlabelled}, of them ${counts.unlabelled - counts.oddlyUnlabelled.length} of a test set`,
  );
  terminal.say(`patients     ${counts.patients}`);
  terminal.say(`quarantined  ${counts.quarantined}`);
  terminal.say(`catalogue    ${report.catalogue}`);
  if (report.cache !== '') terminal.say(`pixel cache  ${report.cache}`);
}
