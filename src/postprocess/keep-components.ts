import type { Mask } from '../core/image.ts';
import type { Components } from './components.ts';

/** The mask with those of its components alone that are to stay; the same mask where all are. */
export function keepComponents(
  mask: Mask,
  { areas, segments, componentOf }: Components,
  stays: (component: number) => boolean,
): Mask {
  const goes = Uint8Array.from(areas, (_, component) => (stays(component) ? 0 : 1));
  if (!goes.includes(1)) return mask;
  const data = mask.data.slice();
  for (const [index, component] of componentOf.entries()) {
    if (goes[component] === 1) data.fill(0, segments[2 * index]!, segments[2 * index + 1]!);
  }
  return { ...mask, data };
}
