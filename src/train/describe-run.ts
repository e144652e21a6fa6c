import { basename } from 'node:path';
import { execa } from 'execa';
import type { Experiment } from '../config/experiment.ts';
import { flattenConfig } from '../config/show-config.ts';
import { sha256 } from '../core/atomic-file.ts';
import type { Dataset } from '../data/dataset.ts';
import { PARENT_TAG } from '../tracking/attach.ts';
import type { RunDescription } from '../tracking/journal.ts';
import type { DatasetEntry } from '../tracking/journal-entry.ts';

/** MLflow holds digests of at most 36 characters; this many of ours tell data sets apart. */
const DIGEST_LENGTH = 32;

/** What a run says of itself at its start: where it comes from, on which data, with which configuration. */
export async function describeRun(
  runId: string,
  experiment: Experiment,
  { file, parentRun }: { file: string; parentRun?: string | undefined },
  { dataset, device }: { dataset: Dataset; device: string },
): Promise<RunDescription> {
  return {
    run_id: runId,
    name: experiment.name,
    experiment: experiment.mlflow_experiment,
    params: flattenConfig(experiment),
    tags: {
      ...(await sourceTags(file)),
      ...(parentRun === undefined ? {} : { [PARENT_TAG]: parentRun }),
      ...dataTags(dataset),
      'data.fold': String(experiment.data.fold),
      device,
    },
  };
}

/** Where a run comes from, by the names that MLflow knows. */
export async function sourceTags(file: string): Promise<Record<string, string>> {
  const commit = await readCommit();
  return {
    'mlflow.source.name': file,
    'mlflow.source.type': 'LOCAL',
    ...(commit === undefined ? {} : { 'mlflow.source.git.commit': commit }),
  };
}

/** Which data a run is trained on, as tags. */
export function dataTags({ digest, extraDigest }: Pick<Dataset, 'digest' | 'extraDigest'>): Record<string, string> {
  return {
    'data.digest': digest.slice(0, DIGEST_LENGTH),
    ...(extraDigest === undefined ? {} : { 'data.extra_digest': extraDigest.slice(0, DIGEST_LENGTH) }),
  };
}

/** The images that a run trains and validates on, as data sets of MLflow: by digest over the data set's and their ids. */
export function datasetEntries(
  { root }: { root: string },
  dataset: Pick<Dataset, 'digest' | 'images'>,
  split: { train: readonly number[]; validation: readonly number[] },
): DatasetEntry[] {
  const contexts = [
    ['training', split.train],
    ['validation', split.validation],
  ] as const;
  return contexts.map(([context, indices]) => {
    const positives = indices.filter((index) => (dataset.images[index]!.truth?.length ?? 0) > 0).length;
    // MLflow takes sets of one name and digest for one set, and keeps the first one's use alone.
    const ids = indices.map((index) => dataset.images[index]!.id);
    const digest = sha256([dataset.digest, ...ids].join('\n')).slice(0, DIGEST_LENGTH);
    return { name: basename(root), digest, context, source: root, profile: { images: indices.length, positives } };
  });
}

/** The commit that this code is at; undefined outside of a repository or without git. */
export async function readCommit(): Promise<string | undefined> {
  const result = await execa('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, reject: false });
  return result.failed ? undefined : result.stdout.trim();
}

/** A folder name that sorts by time: `20190901-101500-<name>`, UTC. */
export function makeRunId(name: string, now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${name}`;
}
