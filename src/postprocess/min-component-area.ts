import { z } from 'zod';
import type { Mask } from '../core/image.ts';
import { findComponents } from './components.ts';
import { keepComponents } from './keep-components.ts';

/** In pixels at MASK_SIZE²; 0 keeps everything. */
export const minComponentAreaConfig = z.int().min(0).default(0);

/** The mask without its 8-connected components of `area` pixels or fewer; the same mask where nothing goes. */
export function keepLargerComponents(mask: Mask, area: number): Mask {
  if (area === 0) return mask;
  const components = findComponents(mask);
  return keepComponents(mask, components, (component) => components.areas[component]! > area);
}
