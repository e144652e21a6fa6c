import type { SubmissionMember } from '../config/submission.ts';
import type { TtaView } from '../config/tta.ts';
import type { Runs } from '../core/rle.ts';
import type { ProbabilityStore } from './probability-store.ts';

/** The images that are predicted: a stage's test set, or the validation images of the run itself. */
export type PredictionTarget = 'stage1' | 'stage2' | 'oof';

/** What is known of a member's run and checkpoint before anything is predicted. */
export interface MemberRun {
  run_id: string;
  /** Its folder, absolute. */
  run_dir: string;
  /** The folder under `checkpoints/` that the member's checkpoint name means. */
  checkpoint_id: string;
  /** Of its weights, in hexadecimal. */
  checkpoint_sha256: string;
  /** The digest of the data set as it is now; a warning says where the run was trained on another. */
  data_digest: string;
  /** Where the competition's files are; absolute. */
  data_root: string;
  /** Of its network: the same hash is the same layers with weights of the same shapes at the same resolution. */
  architecture: string;
  /** The masks of the data set's labelled images. */
  labelled: LabelledMasks;
  /** Whether its network says of every image how probable a mask is (`model.presence_head`). */
  presence_head: boolean;
}

/** How many images there are, and how large their masks. */
export interface LabelledMasks {
  images: number;
  /** Of masks that are not empty, in pixels at MASK_SIZE², ascending. */
  areas: readonly number[];
}

/** An image with its truth at MASK_SIZE². */
export interface TruthImage {
  id: string;
  truth: Runs;
  /** By the folds file; left out or '' where none is known. */
  patient?: string;
}

/** Where a submission gets its probabilities from: runs, their checkpoints and what those predict. */
export interface ProbabilitySource {
  /** Finds a member's run and checkpoint. Throws UserError where there is none. */
  describe(member: SubmissionMember): Promise<MemberRun>;
  /** The validation images of a member's run, in the data set's order. */
  validationOf(member: SubmissionMember): Promise<readonly TruthImage[]>;
  /** The stored probabilities of a checkpoint; predicts them first where they are not there yet. */
  probabilitiesOf(
    member: SubmissionMember,
    tta: readonly TtaView[],
    target: PredictionTarget,
  ): Promise<ProbabilityStore>;
}
