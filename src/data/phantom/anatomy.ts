import type { Rng } from '../../core/random.ts';
import { bell, smoothstep } from './field.ts';

/**
 * One person's chest in coordinates of its own: x to the picture's right (the patient's left), y down, the spine at x = 0,
 * one unit half a picture. On a side, `lateral` = side · x, so both lungs are described once.
 */
export interface Anatomy {
  /** Top of the lungs, and how low they reach beside the diaphragm. */
  apexY: number;
  sulcusY: number;
  /** Greatest distance of the lungs' outer wall from the spine. */
  wallX: number;
  /** Top of the right and left half of the diaphragm. */
  domeY: readonly [number, number];
  /** How far the heart reaches to the patient's left. */
  heartX: number;
  /** How much fuller than an ellipse the shoulder of the lung is. */
  fullness: number;
  shoulderY: number;
  armpitY: number;
  torsoX: number;
  rib: { first: number; spacing: number; arch: number; drop: number; width: number; strength: number };
  clavicleY: number;
  /** Attenuation that soft tissue loses where lung lies in its place, right and left. */
  lungDepth: readonly [number, number];
  /** Standard deviation of the lungs' fine texture in attenuation, and the strength of their vessels. */
  texture: number;
  vessels: number;
}

/** -1: the patient's right lung, on the picture's left; 1: the patient's left lung. */
export type Side = -1 | 1;

/** Draws a person; men are broader, the old have darker lungs (less tissue in them). */
export function drawAnatomy(rng: Rng, sex: 'F' | 'M'): Anatomy {
  const broad = sex === 'M' ? 0.03 : 0;
  const wallX = rng.between(0.68, 0.78) + broad;
  const apexY = rng.between(-0.8, -0.68);
  const domeY = rng.between(0.3, 0.48);
  const depth = rng.between(0.3, 0.43);
  return {
    apexY,
    sulcusY: domeY + rng.between(0.16, 0.28),
    wallX,
    domeY: [domeY - rng.between(0, 0.05), domeY + rng.between(0, 0.05)],
    heartX: rng.between(0.3, 0.44),
    fullness: rng.between(0, 0.3),
    shoulderY: apexY - rng.between(0.04, 0.14),
    armpitY: rng.between(-0.35, -0.1),
    torsoX: wallX + rng.between(0.1, 0.24),
    rib: {
      first: apexY + rng.between(0, 0.08),
      spacing: rng.between(0.135, 0.165),
      arch: rng.between(0.06, 0.14),
      drop: rng.between(0.35, 0.6),
      width: rng.between(0.3, 0.42),
      strength: rng.between(0.045, 0.085),
    },
    clavicleY: apexY + rng.between(0.1, 0.2),
    lungDepth: [depth + rng.between(-0.02, 0.02), depth + rng.between(-0.02, 0.02)],
    texture: rng.between(0.03, 0.042),
    vessels: rng.between(0.1, 0.16),
  };
}

/** How far down the lung a height is: 0 at the apex, 1 at the sulcus. */
export function depthOf(anatomy: Anatomy, y: number): number {
  return (y - anatomy.apexY) / (anatomy.sulcusY - anatomy.apexY);
}

/** Distance of the chest wall from the spine at a height; the point at the apex where both of the lung's edges meet. */
export function wallAt(anatomy: Anatomy, y: number): number {
  const t = depthOf(anatomy, y);
  return APEX_X + (anatomy.wallX - APEX_X) * roundTo(t / 0.75, anatomy.fullness) - 0.03 * smoothstep(0.75, 1.1, t);
}

/** Distance of the lung's inner edge from the spine: mediastinum above, heart below (larger on the patient's left). */
export function innerAt(anatomy: Anatomy, side: Side, y: number): number {
  const t = depthOf(anatomy, y);
  const hilum = APEX_X - (APEX_X - MEDIASTINUM_X) * roundTo(t / 0.16, 0);
  const heart = side > 0 ? anatomy.heartX - MEDIASTINUM_X : 0.3 * (anatomy.heartX - MEDIASTINUM_X);
  const arch = side > 0 ? 0.04 * bell((t - 0.25) / 0.06) : 0;
  return hilum + arch + heart * bell((t - 0.86) / 0.2);
}

/** Height of the diaphragm: a dome that falls towards the sulcus and, less, towards the heart. */
export function diaphragmAt(anatomy: Anatomy, side: Side, lateral: number): number {
  const top = anatomy.domeY[side < 0 ? 0 : 1];
  const offset = (lateral - DOME_X) / (anatomy.wallX - DOME_X);
  const fall = offset * offset * (offset > 0 ? 0.6 + 0.4 * offset : 0.25);
  return top + (anatomy.sulcusY - top) * fall;
}

/** Distance to the lung's nearest edge along the axes, in units: positive inside, negative outside. */
export function insideLung(anatomy: Anatomy, side: Side, lateral: number, y: number): number {
  if (y < anatomy.apexY) return aboveApex(anatomy, lateral, y);
  if (y > anatomy.sulcusY + 0.05) return anatomy.sulcusY - y;
  if (lateral > anatomy.wallX + 0.05) return anatomy.wallX - lateral;
  const wall = wallAt(anatomy, y) - lateral;
  const inner = lateral - innerAt(anatomy, side, y);
  return Math.min(wall, inner, diaphragmAt(anatomy, side, lateral) - y);
}

/** Negative distance to the apex, for points above it. */
export function aboveApex(anatomy: Anatomy, lateral: number, y: number): number {
  return -Math.hypot(lateral - APEX_X, y - anatomy.apexY);
}

const APEX_X = 0.27;
const MEDIASTINUM_X = 0.13;
const DOME_X = 0.36;

/** 0 at 0, 1 from 1 on, rising as a quarter of an ellipse, or the fuller the greater `fullness` is. */
function roundTo(t: number, fullness: number): number {
  if (t <= 0) return 0;
  if (t >= 1) return 1;
  const ellipse = Math.sqrt(t * (2 - t));
  return ellipse + fullness * ellipse * (1 - ellipse);
}
