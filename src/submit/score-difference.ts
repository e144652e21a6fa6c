import { UserError } from '../core/errors.ts';
import { createBootstrap, type Difference } from '../metrics/bootstrap.ts';
import { groupsOf, type ScoredImage, type SubmissionScore } from './score.ts';

/** How much better the second of two submissions is, image by image on those that both have. */
export interface ScoreDifference {
  /** Compared images. */
  images: number;
  dice: Difference;
  dice_positive: Difference;
  dice_empty: Difference;
  /** Images on which the second is better, on which it is worse; on all others both are equal. */
  better: number;
  worse: number;
}

/**
 * Compares two scored submissions. Throws UserError where they have no image in common, and, where `strict` holds, where they
 * are not of the same images.
 */
export function differScores(
  first: SubmissionScore,
  second: SubmissionScore,
  { strict, patients }: { strict: boolean; patients?: ReadonlyMap<string, string> | undefined },
): ScoreDifference {
  const byId = new Map(second.images.map((image) => [image.id, image]));
  const pairs = first.images.flatMap((one): [ScoredImage, ScoredImage][] => {
    const other = byId.get(one.id);
    return other === undefined ? [] : [[one, other]];
  });
  const alone = [first.images.length - pairs.length, second.images.length - pairs.length] as const;
  if (pairs.length === 0) throw new UserError('The two submissions have no scored image in common.');
  if (strict && (alone[0] > 0 || alone[1] > 0)) {
    throw new UserError(
      `Expected two submissions of the same images but ${alone[0]} are in the first alone and ${alone[1]} in the second. ` +
        'strict=false compares those that both have.',
    );
  }
  const bootstrap = createBootstrap(
    groupsOf(
      pairs.map(([one]) => one),
      patients,
    ),
  );
  const [a, b] = [pairs.map(([one]) => one.dice), pairs.map(([, other]) => other.dice)];
  const positive = pairs.map(([one]) => one.positive);
  return {
    images: pairs.length,
    dice: bootstrap.difference(a, b),
    dice_positive: bootstrap.difference(a, b, positive),
    dice_empty: bootstrap.difference(
      a,
      b,
      positive.map((each) => !each),
    ),
    better: pairs.filter(([one, other]) => other.dice > one.dice).length,
    worse: pairs.filter(([one, other]) => other.dice < one.dice).length,
  };
}
