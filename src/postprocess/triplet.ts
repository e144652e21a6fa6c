import { z } from 'zod';
import { MASK_SIZE } from '../core/competition.ts';
import { maskArea } from '../core/image.ts';
import type { Average, MemberMap } from './mean-probability.ts';
import { thresholdMap } from './threshold-map.ts';

/**
 * With the mask's threshold it makes three numbers: a score that more than `area` pixels at MASK_SIZE² must be above, else
 * the image is empty. Left out: every image keeps its mask.
 * Source: Aimoldin (2019), the competition's first place, who calls it a triplet threshold.
 */
export const tripletConfig = z
  .strictObject({
    score: z.number().min(0).lt(1),
    /** In pixels at MASK_SIZE². */
    area: z.int().min(0),
  })
  .optional();
export type TripletConfig = z.infer<typeof tripletConfig>;

/** Whether an image keeps its mask: more than `area` pixels of its weighted mean probability are above `score`, strictly. */
export function passesTriplet(
  members: readonly MemberMap[],
  triplet: TripletConfig,
  size = MASK_SIZE,
  average?: Average,
): boolean {
  return triplet === undefined || maskArea(thresholdMap(members, triplet.score, size, average)) > triplet.area;
}
