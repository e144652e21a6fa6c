import type { Rng } from '../../core/random.ts';
import { type Distractors, drawDistractors } from './distractors.ts';
import type { PhantomImage } from './plan.ts';
import { drawPose, type Pose } from './pose.ts';

/** How one picture differs from the patient's others. */
export interface Look {
  pose: Pose;
  distractors: Distractors;
  breasts: number;
  scapula: number;
  /** Added to each lung's depth (darkness), and their change from apex to base. */
  aeration: readonly [number, number];
  slope: readonly [number, number];
  /** What air is darker than the lung it replaces, the pleural line's strength, and its breadth in pixels. */
  airDepth: number;
  line: number;
  lineBreadth: number;
  /** Grey = 255 · (offset + gain · attenuation^gamma). */
  exposure: { offset: number; gain: number; gamma: number };
  noise: number;
}

/** Draws what one picture has of its own. */
export function drawLook(rng: Rng, { view, patient }: PhantomImage): Look {
  const both = 0.03 * rng.normal();
  const emphysema = rng.chance(0.1) ? rng.between(0.03, 0.07) : 0;
  const sides = rng.shuffle([emphysema, rng.chance(0.5) ? emphysema : 0]);
  return {
    pose: drawPose(rng, view),
    distractors: drawDistractors(rng),
    breasts: patient.sex === 'F' ? rng.between(0.02, 0.09) : 0,
    scapula: rng.chance(0.6) ? rng.between(0.01, 0.045) : 0,
    aeration: [both + sides[0]! + 0.012 * rng.normal(), both + sides[1]! + 0.012 * rng.normal()],
    slope: [rng.between(-0.12, 0.06), rng.between(-0.12, 0.06)],
    airDepth: rng.between(0.1, 0.15),
    line: rng.between(0.28, 0.38),
    lineBreadth: rng.between(4.5, 6),
    exposure: { offset: rng.between(0, 0.1), gain: rng.between(0.85, 1.15), gamma: rng.between(0.75, 1.5) },
    noise: rng.between(0.008, 0.025) * (view === 'AP' ? 1.2 : 1),
  };
}

/** Draws the wanted area of all air in pixels at 1024². Union areas are log-normal about the size that a small network can learn; the real median is 8,630 pixels. */
export function drawArea(rng: Rng): number {
  return Math.min(120_000, Math.max(300, 17_000 * Math.exp(0.7 * rng.normal())));
}
