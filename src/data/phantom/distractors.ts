import type { Rng } from '../../core/random.ts';
import { type Anatomy, insideLung, type Side, wallAt } from './anatomy.ts';
import type { Places } from './bones.ts';
import { bell, type Field, smoothNoise, smoothstep } from './field.ts';

/** Things that are no pneumothorax and may pass for one, or are simply there: drawn for positives and negatives alike. */
export interface Distractors {
  /** A fold of skin over a lung: an edge like a pleural line, with lung markings on both of its sides. */
  fold: { side: Side; gap: number; tilt: number; strength: number } | undefined;
  /** Air under the skin beside the chest. */
  softTissueAir: Side | undefined;
  /** A drain or a feeding tube: lateral position at the top and the bottom, lowest point. */
  tube: { from: number; to: number; endY: number } | undefined;
  /** Collimation: how much of each border (left, right, top, bottom) was not exposed. */
  borders: readonly number[];
}

/** Draws which distractors an image has. */
export function drawDistractors(rng: Rng): Distractors {
  const side = (): Side => (rng.chance(0.5) ? 1 : -1);
  const fold = { side: side(), gap: rng.between(0.08, 0.3), tilt: rng.between(-0.3, 0.3), strength: 0 };
  fold.strength = rng.between(0.02, 0.05);
  const tube = { from: rng.between(-0.1, 0.1), to: rng.between(-0.5, 0.5), endY: rng.between(-0.1, 0.6) };
  return {
    fold: rng.chance(0.06) ? fold : undefined,
    softTissueAir: rng.chance(0.06) ? side() : undefined,
    tube: rng.chance(0.12) ? tube : undefined,
    borders: Array.from({ length: 4 }, () => (rng.chance(0.15) ? rng.between(0.01, 0.06) : 0)),
  };
}

/** Adds the distractors' attenuation (negative where air lies under the skin). */
export function addDistractors(
  attenuation: Field,
  rng: Rng,
  anatomy: Anatomy,
  distractors: Distractors,
  places: Places,
): void {
  const { fold, softTissueAir, tube } = distractors;
  if (fold === undefined && softTissueAir === undefined && tube === undefined) return;
  const { size, data } = attenuation;
  const streaks = smoothNoise(rng, 64, size);
  for (let i = 0; i < data.length; i++) {
    const x = places.x.data[i]!;
    const y = places.y.data[i]!;
    let sum = 0;
    if (fold !== undefined) sum += foldAt(anatomy, fold, x, y);
    if (softTissueAir !== undefined) sum -= airAt(softTissueAir, x, y, places.wall.data[i]!, streaks.data[i]!);
    if (tube !== undefined) sum += tubeAt(tube, x, y);
    data[i] = data[i]! + sum;
  }
}

/** Brightest at its edge and fading inwards, as a fold of skin is thickest where it turns. */
function foldAt(anatomy: Anatomy, fold: NonNullable<Distractors['fold']>, x: number, y: number): number {
  const lateral = fold.side * x;
  if (lateral < 0.1 || insideLung(anatomy, fold.side, lateral, y) < -0.02) return 0;
  const inwards = wallAt(anatomy, -0.1) - fold.gap + fold.tilt * (y + 0.1) - lateral;
  return fold.strength * smoothstep(-0.004, 0.004, inwards) * Math.exp(-Math.max(0, inwards) / 0.09);
}

function airAt(side: Side, x: number, y: number, wall: number, streak: number): number {
  const beyond = side * x - wall;
  if (beyond < 0.02 || beyond > 0.4) return 0;
  return 0.12 * bell((beyond - 0.1) / 0.05) * smoothstep(-0.6, -0.4, y) * smoothstep(0.3, -0.2, y) * Math.abs(streak);
}

function tubeAt(tube: NonNullable<Distractors['tube']>, x: number, y: number): number {
  if (y > tube.endY) return 0;
  const s = (y + 1) / (tube.endY + 1);
  const offset = (x - tube.from - (tube.to - tube.from) * s * s * s) / 0.006;
  return Math.abs(offset) > 4 ? 0 : 0.12 * (bell(offset) + 0.4 * bell((Math.abs(offset) - 1.6) / 0.5));
}
