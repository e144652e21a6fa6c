import { MASK_SIZE } from '../../core/competition.ts';
import { emptyMask, type Mask, maskArea } from '../../core/image.ts';
import type { Anatomy, Side } from './anatomy.ts';
import { insideWithdrawn, type Pocket } from './collapse.ts';
import { enlarge, type Field, zeroField } from './field.ts';

/** What lies where, on one coarse grid. */
export interface LungMap {
  x: Field;
  y: Field;
  /** insideLung of the pixel's own side. */
  lung: Field;
}

/** The air of one image. */
export interface Air {
  /** Distance into the air in pixels at 1024², negative outside, on the map's grid; the line is where it crosses 0. */
  depth: Field;
  /** One mask a pocket, at 1024². */
  masks: Mask[];
}

/** The smallest union of masks in the real set, in pixels at 1024². */
const LEAST_AREA = 55;

/** Places the pockets so that their union has about `area` pixels at 1024²; one whose mask is empty is left out. */
export function placeAir(anatomy: Anatomy, pockets: readonly Pocket[], area: number, map: LungMap): Air {
  let scale = solveScale(anatomy, pockets, area, map);
  for (;;) {
    const fields = pockets.map((pocket) => airOf(anatomy, pocket, scale, map));
    const masks = fields.map(maskWhere).filter((mask) => maskArea(mask) > 0);
    const union = masks.reduce((sum, mask) => sum + maskArea(mask), 0);
    if (union >= 2 * LEAST_AREA) return { depth: depthInPixels(fields), masks };
    scale *= 1.3;
  }
}

/** Halves an interval until the union on every second pixel of the map has the wanted area. */
function solveScale(anatomy: Anatomy, pockets: readonly Pocket[], area: number, map: LungMap): number {
  const size = map.lung.size;
  const wanted = area * (size / MASK_SIZE / 2) ** 2;
  const places: number[] = [];
  for (let row = 0; row < size; row += 2) {
    for (let i = row * size; i < (row + 1) * size; i += 2) if (map.lung.data[i]! > 0) places.push(i);
  }
  let [low, high] = [0, 0.7];
  for (let step = 0; step < 10; step++) {
    const scale = (low + high) / 2;
    const inAir = (i: number) => pockets.some((pocket) => airAt(anatomy, pocket, scale, map, i) > 0);
    if (places.filter(inAir).length < wanted) low = scale;
    else high = scale;
  }
  return (low + high) / 2;
}

/** Positive in this pocket's air, in units along the axes. */
function airAt(anatomy: Anatomy, pocket: Pocket, scale: number, map: LungMap, i: number): number {
  const lung = map.lung.data[i]!;
  const x = map.x.data[i]!;
  const side: Side = x < 0 ? -1 : 1;
  if (side !== pocket.side || lung < -OUTSIDE) return -OUTSIDE;
  return Math.min(lung, -insideWithdrawn(anatomy, pocket, scale, Math.abs(x), map.y.data[i]!));
}

const OUTSIDE = 0.05;

function airOf(anatomy: Anatomy, pocket: Pocket, scale: number, map: LungMap): Field {
  const air = zeroField(map.lung.size);
  for (let i = 0; i < air.data.length; i++) air.data[i] = airAt(anatomy, pocket, scale, map, i);
  return air;
}

function maskWhere(air: Field): Mask {
  const fine = enlarge(air, MASK_SIZE);
  const mask = emptyMask(MASK_SIZE);
  for (let i = 0; i < fine.data.length; i++) if (fine.data[i]! > 0) mask.data[i] = 1;
  return mask;
}

/** The union's distance: its value over its slope, which near the border is the distance along the normal. */
function depthInPixels(fields: readonly Field[]): Field {
  const size = fields[0]!.size;
  const union = zeroField(size);
  for (let i = 0; i < union.data.length; i++) {
    union.data[i] = fields.reduce((deepest, field) => Math.max(deepest, field.data[i]!), -OUTSIDE);
  }
  const depth = zeroField(size);
  const finePixels = MASK_SIZE / size;
  for (let row = 1; row < size - 1; row++) {
    for (let i = row * size + 1; i < (row + 1) * size - 1; i++) {
      const across = (union.data[i + 1]! - union.data[i - 1]!) / 2;
      const down = (union.data[i + size]! - union.data[i - size]!) / 2;
      const slope = Math.max(Math.hypot(across, down), 0.25 / size);
      depth.data[i] = (union.data[i]! / slope) * finePixels;
    }
  }
  return depth;
}
