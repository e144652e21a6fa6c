import { z } from 'zod';
import { MASK_SIZE } from '../core/competition.ts';
import { emptyMask, type Mask } from '../core/image.ts';
import { gateConfig, type MemberPresence, passesGate } from './gate.ts';
import type { MemberMap } from './mean-probability.ts';
import { keepLargerComponents, minComponentAreaConfig } from './min-component-area.ts';
import { thresholdConfig, thresholdMap } from './threshold-map.ts';

/** What makes a mask out of probabilities: in this order, and the gate first of all. */
export const postprocessConfig = z.strictObject({
  threshold: thresholdConfig,
  min_component_area: minComponentAreaConfig,
  gate: gateConfig,
});
export type PostprocessConfig = z.infer<typeof postprocessConfig>;

/** The members' probabilities of one image → its mask at MASK_SIZE². */
export function predictMask(members: readonly (MemberMap & MemberPresence)[], config: PostprocessConfig): Mask {
  if (!passesGate(members, config.gate)) return emptyMask(MASK_SIZE);
  return postprocess(thresholdMap(members, config.threshold), config);
}

/** What is done to a mask after its threshold. */
export function postprocess(
  mask: Mask,
  { min_component_area: area }: Pick<PostprocessConfig, 'min_component_area'>,
): Mask {
  return keepLargerComponents(mask, area);
}
