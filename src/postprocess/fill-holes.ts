import { z } from 'zod';
import type { Mask } from '../core/image.ts';
import { findOutsides } from './components.ts';

/** Whether what a mask encloses belongs to it. */
export const fillHolesConfig = z.boolean().default(false);

/**
 * The mask with its holes: whatever cannot be left for the picture's edge without crossing the mask, at its corners
 * neither (4-connected outside). The same mask where there is no hole.
 */
export function fillHoles(mask: Mask): Mask {
  // Searched as memory is, in no time: most masks are empty.
  if (!Buffer.from(mask.data.buffer, mask.data.byteOffset, mask.data.byteLength).includes(1)) return mask;
  const { width, height } = mask;
  const { areas, segments, componentOf } = findOutsides(mask);
  const reachesEdge = new Uint8Array(areas.length);
  for (const [index, component] of componentOf.entries()) {
    const [start, end] = [segments[2 * index]!, segments[2 * index + 1]!];
    const atEdge = start < width || end > (height - 1) * width || start % width === 0 || end % width === 0;
    if (atEdge) reachesEdge[component] = 1;
  }
  if (reachesEdge.every((reaches) => reaches === 1)) return mask;
  const data = mask.data.slice();
  for (const [index, component] of componentOf.entries()) {
    if (reachesEdge[component] === 0) data.fill(1, segments[2 * index]!, segments[2 * index + 1]!);
  }
  return { ...mask, data };
}
