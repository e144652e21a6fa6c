import { z } from 'zod';
import { MASK_SIZE } from '../core/competition.ts';
import { emptyMask, type Mask } from '../core/image.ts';
import { fillHoles, fillHolesConfig } from './fill-holes.ts';
import { type GateConfig, gateConfig, type MemberPresence, passesGate } from './gate.ts';
import { keepLargestComponents, largestComponentsConfig } from './largest-components.ts';
import { averageConfig, type MemberMap } from './mean-probability.ts';
import { keepLargerComponents, minComponentAreaConfig } from './min-component-area.ts';
import { thresholdConfig, thresholdMap } from './threshold-map.ts';
import { passesTriplet, tripletConfig } from './triplet.ts';

/** The keys of what makes a mask out of probabilities, in the order in which they are applied. */
export const postprocessShape = {
  average: averageConfig,
  gate: gateConfig,
  triplet: tripletConfig,
  threshold: thresholdConfig,
  fill_holes: fillHolesConfig,
  min_component_area: minComponentAreaConfig,
  largest_components: largestComponentsConfig,
};
export const postprocessConfig = z.strictObject(postprocessShape);
export type PostprocessConfig = z.infer<typeof postprocessConfig>;

/** One member's word on an image. */
export type MemberImage = MemberMap & MemberPresence;

/**
 * The members' probabilities of one image → its mask at size².
 * @param gateMembers whose evidence the gate looks at, where it is another run's
 */
export function predictMask(
  members: readonly MemberImage[],
  config: PostprocessConfig,
  gateMembers: readonly MemberImage[] = members,
  size = MASK_SIZE,
): Mask {
  const { average, gate, triplet, threshold } = config;
  if (!passesGate(gateMembers, gate, size, average)) return emptyMask(size);
  if (!passesTriplet(members, triplet, size, average)) return emptyMask(size);
  return postprocess(thresholdMap(members, threshold, size, average), config);
}

type MaskSteps = Pick<PostprocessConfig, 'fill_holes' | 'min_component_area' | 'largest_components'>;

/** What is done to a mask after its threshold. */
export function postprocess(mask: Mask, config: MaskSteps): Mask {
  const filled = config.fill_holes ? fillHoles(mask) : mask;
  const larger = keepLargerComponents(filled, config.min_component_area);
  return keepLargestComponents(larger, config.largest_components);
}

/** What a configuration does, for people: `gate presence ≥ 0.4; threshold 0.5; components over 2000 pixels`. */
export function describePostprocess(config: PostprocessConfig): string {
  const { gate, triplet, threshold, fill_holes: fills, min_component_area: area, largest_components: largest } = config;
  return [
    config.average !== 'probabilities' && { logits: 'mean of logits', vote: 'votes' }[config.average],
    gate && describeGate(gate),
    triplet && `over ${triplet.area} pixels above ${triplet.score}`,
    `threshold ${threshold}`,
    fills && 'holes filled',
    area > 0 && `components over ${area} pixels`,
    largest !== undefined && `the ${largest === 1 ? 'largest component' : `${largest} largest components`}`,
  ]
    .filter((part) => part !== undefined && part !== false)
    .join('; ');
}

function describeGate({ statistic, threshold, pixels, above }: GateConfig): string {
  const of = { presence: '', max: '', top_mean: ` of ${pixels} pixels`, sum: ` above ${above ?? 0}` }[statistic];
  return `gate ${statistic}${of} ≥ ${threshold}`;
}
