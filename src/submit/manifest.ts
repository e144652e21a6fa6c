import { basename } from 'node:path';
import { sha256, sha256File } from '../core/atomic-file.ts';
import type { ScoreSummary } from '../metrics/dice.ts';
import type { EncodedMask, WeightedStore } from './encode-mask.ts';
import type { ResolvedMember } from './members.ts';
import type { SubmissionPlan } from './plan.ts';

/** What a submission was made of. */
export interface ManifestParts {
  plan: SubmissionPlan;
  stores: readonly WeightedStore[];
  masks: ReadonlyMap<string, EncodedMask>;
  csv: string;
  /** The commit of the code; undefined outside of a repository. */
  commit: string | undefined;
  /** Out of fold only. */
  score: ScoreSummary | undefined;
}

/** The manifest as JSON, keys always in this order (see docs/reference/submission.md), without a path of this machine. */
export async function formatManifest({ plan, stores, masks, csv, commit, score }: ManifestParts): Promise<string> {
  const { submission, stage, stamp, members, gate, sample, wanted } = plan;
  const { tuned } = submission;
  const manifest = {
    name: submission.name,
    stage,
    stamp,
    csv: {
      file: basename(plan.files.csv),
      sha256: sha256(csv),
      rows: wanted.rows.length,
      positives: countPositives(masks),
    },
    sample: sample === undefined ? null : { file: basename(sample), sha256: await sha256File(sample) },
    members: members.map(({ member, run }, index) => ({
      ...nameRun({ member, run }),
      weight: member.weight,
      resolution: stores[index]!.store.resolution,
      data_digest: run.data_digest,
      architecture: run.architecture,
    })),
    architecture: sha256(members.map(({ run }) => run.architecture).join('\n')),
    ...(gate === undefined ? {} : { gate: { ...nameRun(gate), data_digest: gate.run.data_digest } }),
    tta: submission.tta,
    postprocess: submission.postprocess,
    ...(tuned === undefined ? {} : { tuned: { file: basename(tuned.file), sha256: tuned.sha256 } }),
    commit: commit ?? null,
    ...(score === undefined ? {} : { score }),
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function nameRun({ member, run }: ResolvedMember) {
  return {
    run: member.run,
    run_id: run.run_id,
    checkpoint: member.checkpoint,
    checkpoint_id: run.checkpoint_id,
    checkpoint_sha256: run.checkpoint_sha256,
  };
}

/** How many images have a mask. */
export function countPositives(masks: ReadonlyMap<string, EncodedMask>): number {
  return [...masks.values()].filter(({ runs }) => runs.length > 0).length;
}
