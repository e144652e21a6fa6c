import { z } from 'zod';
import type { Mask } from '../core/image.ts';
import type { MemberMap } from './mean-probability.ts';
import { keepLargerComponents, minComponentAreaConfig } from './min-component-area.ts';
import { thresholdConfig, thresholdMap } from './threshold-map.ts';

/** What makes a mask out of probabilities, in this order. */
export const postprocessConfig = z.strictObject({
  threshold: thresholdConfig,
  min_component_area: minComponentAreaConfig,
});
export type PostprocessConfig = z.infer<typeof postprocessConfig>;

/** The members' probabilities of one image → its mask at MASK_SIZE². */
export function predictMask(members: readonly MemberMap[], config: PostprocessConfig): Mask {
  return postprocess(thresholdMap(members, config.threshold), config);
}

/** What is done to a mask after its threshold. */
export function postprocess(mask: Mask, { min_component_area: area }: Omit<PostprocessConfig, 'threshold'>): Mask {
  return keepLargerComponents(mask, area);
}
