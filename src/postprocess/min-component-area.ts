import { z } from 'zod';
import type { Mask } from '../core/image.ts';
import { findComponents } from './components.ts';

/** In pixels at MASK_SIZE²; 0 keeps everything. */
export const minComponentAreaConfig = z.int().min(0).default(0);

/** The mask without its 8-connected components of `area` pixels or fewer; the same mask where nothing goes. */
export function keepLargerComponents(mask: Mask, area: number): Mask {
  if (area === 0) return mask;
  const { areas, segments, componentOf } = findComponents(mask);
  if (areas.every((each) => each > area)) return mask;
  const data = mask.data.slice();
  for (const [index, component] of componentOf.entries()) {
    if (areas[component]! <= area) data.fill(0, segments[2 * index]!, segments[2 * index + 1]!);
  }
  return { ...mask, data };
}
