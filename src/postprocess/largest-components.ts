import { z } from 'zod';
import type { Mask } from '../core/image.ts';
import { findComponents } from './components.ts';
import { keepComponents } from './keep-components.ts';

/** How many components a mask may have; left out: any number. */
export const largestComponentsConfig = z.int().min(1).optional();

/**
 * The mask with its `count` largest 8-connected components alone, of equal ones those whose first pixel, row by row, comes
 * first; the same mask where nothing goes.
 */
export function keepLargestComponents(mask: Mask, count: number | undefined): Mask {
  if (count === undefined) return mask;
  const components = findComponents(mask);
  const { areas } = components;
  const bySize = Array.from(areas.keys()).sort((a, b) => areas[b]! - areas[a]! || a - b);
  const kept = new Set(bySize.slice(0, count));
  return keepComponents(mask, components, (component) => kept.has(component));
}
