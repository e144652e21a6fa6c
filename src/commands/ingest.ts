import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { MASK_SIZE, STAGES, type Stage } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import { checkReportPath, dataReportPath, writeDataReport } from '../data/data-report.ts';
import { ingest } from '../data/ingest.ts';
import { summarise } from '../data/ingest-report.ts';
import { type NormalisationConfig, normalisationConfig } from '../dicom/normalisation.ts';
import type { Command } from './command.ts';
import { speakIngest } from './ingest-words.ts';
import { readSwitch } from './values.ts';

/** `npm run ingest data=…`: verify, decode, catalogue and cache a download. */
export const ingestCommand: Command = {
  name: 'ingest',
  summary: 'verify, decode, catalogue and cache a download of the competition',
  usage: 'data=<folder> [resolution=512] [normalisation=none] [stage=2] [png=true] [report=<page.html>] [strict=true]',
  keys: {
    data: 'the data root: the folder of the download, as folders, as the zip that Kaggle gives, or both',
    resolution: 'build the pixel cache at this side too; else the first run that needs one does',
    normalisation:
      "of the cache and PNG files: none, window, minmax, clahe, or in full '{ name: clahe, clip_limit: 3 }'",
    stage: "2: take the labels of stage_2_train.csv, which cover stage 1's test images; default 1: train-rle.csv",
    png: `true: write the images as PNG files too, for looking (at the resolution, or at ${MASK_SIZE})`,
    report: 'the HTML page to write (its JSON beside it), or false; default reports/data-<name of the data root>.html',
    strict: 'true: stop at the first file that cannot be used instead of setting it aside',
  },
  overrides: false,
  run: async ({ values, cwd, signal }, terminal) => {
    if (values.data === undefined) throw new UserError('Name the data root: `npm run ingest data=<folder>`.');
    const root = resolve(cwd, values.data);
    const resolution = readResolution(values.resolution);
    const stage = readStage(values.stage);
    const page = readReport(values.report, cwd, root);
    const report = await ingest(
      {
        root,
        signal,
        strict: readSwitch('strict', values.strict),
        png: readSwitch('png', values.png),
        normalisation: readNormalisation(values.normalisation),
        ...(resolution === undefined ? {} : { resolution }),
        ...(stage === undefined ? {} : { stage }),
      },
      terminal,
    );
    const counts = summarise(report);
    speakIngest(report, counts, terminal);
    if (page !== undefined) {
      await writeDataReport(report, { path: page, signal }, terminal);
      terminal.say(`report       ${page}`);
    }
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

/** Where the data report goes; undefined where none is wanted. */
function readReport(text: string | undefined, cwd: string, root: string): string | undefined {
  if (text === 'false') return undefined;
  return text === undefined ? dataReportPath(cwd, root) : checkReportPath(resolve(cwd, text));
}

/** A name alone, or YAML with its settings. */
function readNormalisation(text = 'none'): NormalisationConfig {
  const checked = normalisationConfig.safeParse(text.includes('{') ? readYaml(text) : { name: text });
  if (checked.success) return checked.data;
  const names = normalisationConfig.options.flatMap((option) => [...option.shape.name.values]).join(', ');
  throw new UserError(expected(`one of ${names}, with settings in range`, 'normalisation', text));
}

/** Undefined where it is no YAML. */
function readYaml(text: string): unknown {
  const document = parseDocument(text);
  return document.errors.length > 0 ? undefined : document.toJS();
}
