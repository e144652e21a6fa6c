import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { CSV_COLUMNS } from '../core/competition.ts';
import type { Terminal } from '../core/terminal.ts';
import { writingTo } from '../data/disk.ts';
import { type ScoreSummary, scoreImage, summariseScores } from '../metrics/dice.ts';
import type { ProbabilitySource, TruthImage } from '../predict/probability-source.ts';
import type { ProbabilityStore } from '../predict/probability-store.ts';
import { checkSubmission, type WantedRows } from './check.ts';
import type { EncodedMask, MaskSource, WeightedStore } from './encode-mask.ts';
import { encodeMasks } from './encode-masks.ts';
import { countPositives, formatManifest } from './manifest.ts';
import { sayAreas } from './mask-areas.ts';
import type { ResolvedMember } from './members.ts';
import { refuseExisting, type SubmissionFiles, type SubmissionPlan } from './plan.ts';
import { zipFiles } from './zip.ts';

export interface BuildOptions {
  source: ProbabilitySource;
  /** The commit of the code; undefined outside of a repository. */
  commit: string | undefined;
  signal: AbortSignal;
}

/** A submission that was written. */
export interface BuiltSubmission extends SubmissionFiles {
  /** Lines of the CSV besides its header. */
  rows: number;
  /** Images with a mask. */
  positives: number;
  /** Out of fold only. */
  score: ScoreSummary | undefined;
}

/**
 * Makes a planned submission: probabilities, masks, codes, and then its three files at once. What was written is read
 * back and held against the rows that were asked for; whatever fails leaves none of the files.
 */
export async function buildSubmission(
  plan: SubmissionPlan,
  { source, commit, signal }: BuildOptions,
  terminal: Terminal,
): Promise<BuiltSubmission> {
  return await withMasks(plan, { source, signal }, terminal, async (masks, stores) => {
    const runs = [...masks.values()].map((mask) => mask.runs);
    sayAreas(runs, plan.members[0]!.run.labelled, terminal);
    const csv = formatCsv(plan.wanted, masks);
    const score = plan.truth === undefined ? undefined : scoreMasks(masks, plan.truth);
    const manifest = await formatManifest({ plan, stores, masks, csv, commit, score });
    await writeSubmission(plan, csv, manifest);
    return { ...plan.files, rows: plan.wanted.rows.length, positives: countPositives(masks), score };
  });
}

/** The CSV of a planned submission, written nowhere. */
export async function formatSubmission(
  plan: SubmissionPlan,
  options: Omit<BuildOptions, 'commit'>,
  terminal: Terminal,
): Promise<string> {
  return await withMasks(plan, options, terminal, async (masks) => formatCsv(plan.wanted, masks));
}

/** Gets or predicts the members' probabilities and makes every mask of them. */
async function withMasks<T>(
  plan: SubmissionPlan,
  { source, signal }: Omit<BuildOptions, 'commit'>,
  terminal: Terminal,
  use: (masks: ReadonlyMap<string, EncodedMask>, stores: readonly WeightedStore[]) => Promise<T>,
): Promise<T> {
  const { tta, postprocess: config } = plan.submission;
  const opened: ProbabilityStore[] = [];
  const open = async ({ member }: ResolvedMember) => {
    signal.throwIfAborted();
    const store = await source.probabilitiesOf(member, tta, plan.target);
    opened.push(store);
    return store;
  };
  try {
    const stores: WeightedStore[] = [];
    for (const each of plan.members) stores.push({ store: await open(each), weight: each.member.weight });
    const masksOf: MaskSource = { stores, gateStore: plan.gate && (await open(plan.gate)), config };
    return await use(
      await encodeMasks(plan.wanted, masksOf, { folds: plan.stage === 'oof', terminal, signal }),
      stores,
    );
  } finally {
    for (const store of opened) store.close();
  }
}

/** Header, a row for each wanted one, LF, no byte order mark; a repeated id repeats its code. */
function formatCsv({ rows }: WantedRows, masks: ReadonlyMap<string, EncodedMask>): string {
  const records = rows.map(({ id }) => [id, masks.get(id)!.rle]);
  return stringify([[...CSV_COLUMNS], ...records], { record_delimiter: '\n' });
}

function scoreMasks(masks: ReadonlyMap<string, EncodedMask>, truth: readonly TruthImage[]): ScoreSummary {
  return summariseScores(truth.map((image) => scoreImage(image.id, masks.get(image.id)!.runs, image.truth)));
}

async function writeSubmission({ files, wanted }: SubmissionPlan, csv: string, manifest: string): Promise<void> {
  const { csv: csvFile, manifest: manifestFile, zip: zipFile } = files;
  // Once more: predicting may have taken hours.
  refuseExisting(files);
  const zip = await zipFiles({ [basename(csvFile)]: csv, [basename(manifestFile)]: manifest });
  try {
    await writingTo(csvFile, async () => {
      await writeFileAtomic(csvFile, csv);
      await writeFileAtomic(manifestFile, manifest);
      await writeFileAtomic(zipFile, zip);
    });
    await checkSubmission(csvFile, wanted);
  } catch (error) {
    // What cannot be removed was never written; the first error is the one to show.
    await Promise.allSettled(Object.values(files).map((file) => rm(file, { force: true })));
    throw error;
  }
}
