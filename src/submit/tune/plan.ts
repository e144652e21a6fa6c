import type { Submission } from '../../config/submission.ts';
import { expected, UserError } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { ProbabilitySource, TruthImage } from '../../predict/probability-source.ts';
import { readTrainedOn } from '../../train/trained-on.ts';
import { type ResolvedMember, type ResolvedMembers, resolveRuns } from '../members.ts';
import { STEPS, type Step } from './space.ts';
import type { EvidenceKind } from './tabulate-image.ts';
import type { TuneImage } from './tune-images.ts';

/** What is tuned on what. */
export interface TunePlan extends ResolvedMembers {
  submission: Submission;
  /** Every image that a member was validated on. */
  images: TuneImage[];
  /** What a gate may look at. */
  kinds: EvidenceKind[];
  /** In their order. */
  steps: Step[];
}

/** What a gate may look at where the submission does not say it. */
const FIGURES: EvidenceKind[] = [
  { statistic: 'max' },
  { statistic: 'top_mean', pixels: 500 },
  { statistic: 'top_mean', pixels: 2000 },
  { statistic: 'sum', above: 0.5 },
];

/**
 * Finds the runs and the validation images that their settings are tuned on; an image counts with those members that were
 * validated on it. Throws UserError where a member's weights were trained on one of its validation images, and where a step
 * cannot be tuned.
 */
export async function planTune(
  submission: Submission,
  wanted: readonly Step[] | undefined,
  source: ProbabilitySource,
  terminal: Terminal,
): Promise<TunePlan> {
  const { members, gate } = await resolveRuns(submission, source);
  const validations: (readonly TruthImage[])[] = [];
  for (const each of members) validations.push(await validationOf(each, source, terminal));
  const images = joinImages(validations);
  if (gate !== undefined) requireImages(gate, await validationOf(gate, source, terminal), images);
  const sharesAll = images.every(({ voters }) => voters.length === members.length);
  const possible = STEPS.filter((step) => step !== 'weights' || (members.length > 1 && sharesAll));
  if (wanted?.includes('weights') && !possible.includes('weights')) {
    const what = 'several members that were validated on the same images';
    throw new UserError(expected(what, 'steps: weights', `${members.length}, on ${images.length} images`));
  }
  const kinds = kindsOf(submission, members, images);
  return { submission, members, gate, images, kinds, steps: possible.filter((step) => wanted?.includes(step) ?? true) };
}

/** A member's validation images. Throws UserError where it was trained on some of them; warns where that cannot be told. */
async function validationOf(
  { member, run }: ResolvedMember,
  source: ProbabilitySource,
  terminal: Terminal,
): Promise<readonly TruthImage[]> {
  const images = await source.validationOf(member);
  const trainedOn = await readTrainedOn({ dir: run.run_dir, run_id: run.run_id });
  const seen = new Set(trainedOn.images);
  const count = images.filter(({ id }) => seen.has(id)).length;
  if (count > 0) {
    const what = `validation images that ${run.run_id} and the runs before it were not trained on`;
    const next = 'What is tuned on such images is fitted to what the network knows by heart. Tune on another run.';
    throw new UserError(expected(what, 'tuning', `${count} of ${images.length} that they were`, next));
  }
  if (trainedOn.unknown.length > 0) {
    terminal.warn(
      `${trainedOn.unknown.join(', ')}: no record of the images that it was trained on. Whether the images that are tuned on ` +
        'are among them cannot be told.',
    );
  }
  return images;
}

function joinImages(validations: readonly (readonly TruthImage[])[]): TuneImage[] {
  const images = new Map<string, TuneImage & { voters: number[] }>();
  for (const [place, validation] of validations.entries()) {
    for (const { id, truth, patient = '' } of validation) {
      const known = images.get(id);
      if (known === undefined) images.set(id, { id, truth, patient, voters: [place] });
      else known.voters.push(place);
    }
  }
  return [...images.values()];
}

function requireImages({ run }: ResolvedMember, own: readonly TruthImage[], images: readonly TuneImage[]): void {
  const ids = new Set(own.map(({ id }) => id));
  const missing = images.filter(({ id }) => !ids.has(id)).length;
  if (missing === 0) return;
  const what = `the ${images.length} images that the members were validated on`;
  throw new UserError(expected(what, `the gate's run ${run.run_id}`, `${images.length - missing} of them`));
}

/** The submission's own gate says what is looked at; without, presence where every image has one, and figures of the maps. */
function kindsOf(
  { postprocess: { gate } }: Submission,
  members: readonly ResolvedMember[],
  images: readonly TuneImage[],
): EvidenceKind[] {
  if (gate !== undefined) {
    const { statistic, pixels, above } = gate;
    return [{ statistic, ...(pixels === undefined ? {} : { pixels }), ...(above === undefined ? {} : { above }) }];
  }
  const heads = members.flatMap(({ run }, place) => (run.presence_head ? [place] : []));
  const heard = images.every(({ voters }) => voters.some((place) => heads.includes(place)));
  return [...(heard ? [{ statistic: 'presence' as const }] : []), ...FIGURES];
}
