import { type Anatomy, depthOf, diaphragmAt } from './anatomy.ts';
import { bell, smoothstep } from './field.ts';

/** Attenuation of air around the body, and of the trunk where it is thickest. */
const AIR = 0.03;
const TRUNK = 0.6;

/** Attenuation of everything that is neither lung nor bone at a point: air is 0.03, the trunk 0.6, the middle about 0.8. */
export function softTissueAt(anatomy: Anatomy, breasts: number, x: number, y: number): number {
  const lateral = Math.abs(x);
  const body = trunkAt(anatomy, lateral, y);
  if (body <= 0) return AIR;
  const inside = middleAt(anatomy, x, y) + bellyAt(anatomy, x, y) + breastAt(anatomy, breasts, lateral, y);
  return AIR + body * (TRUNK - AIR + inside);
}

/** 0 outside the body, 1 where it is thickest: the trunk, thinning to its sides, and the shoulders and neck above it. */
function trunkAt(anatomy: Anatomy, lateral: number, y: number): number {
  const breadth = anatomy.torsoX + 0.06 * y;
  const relative = Math.min(1, lateral / (breadth + 0.02));
  const trunk = smoothstep(-0.01, 0.02, breadth - lateral) * (0.5 + 0.5 * Math.sqrt(1 - relative * relative));
  const slope = Math.max(0, lateral - 0.17);
  const top = anatomy.shoulderY - 0.12 + 0.42 * slope - 0.6 * smoothstep(0.26, 0.15, lateral);
  const armpit = anatomy.armpitY + 0.35 * (lateral - breadth);
  const shoulder = smoothstep(armpit + 0.04, armpit - 0.06, y) * (0.72 - 0.2 * slope);
  const head = 0.2 * smoothstep(0.17, 0.13, Math.hypot(lateral - anatomy.torsoX - 0.13, y - top - 0.24));
  return Math.max(trunk, shoulder + head * shoulder) * smoothstep(top, top + 0.12, y);
}

/** Spine, mediastinum and heart, less the windpipe. */
function middleAt(anatomy: Anatomy, x: number, y: number): number {
  const heartY = anatomy.domeY[1] - 0.16;
  const heart = 0.13 * bell((x - 0.1) / (anatomy.heartX * 0.62)) * bell((y - heartY) / 0.24);
  const spine = 0.045 * smoothstep(0.09, 0.06, Math.abs(x)) * (1 + 0.35 * Math.sin(y * 42));
  const windpipe = 0.1 * bell((x + 0.01) / 0.032) * smoothstep(-0.15, -0.35, y);
  return heart + spine + 0.11 * bell(x / 0.17) - windpipe;
}

/** What lies below the diaphragm, with the stomach's bubble on the patient's left; its halves blend in the middle. */
function bellyAt(anatomy: Anatomy, x: number, y: number): number {
  if (y < anatomy.domeY[0] - 0.4) return 0;
  const lateral = Math.min(Math.abs(x), anatomy.wallX);
  const left = smoothstep(-0.15, 0.15, x);
  const right = left === 1 ? 0 : (1 - left) * smoothstep(-0.005, 0.2, y - diaphragmAt(anatomy, -1, lateral));
  if (left === 0) return 0.12 * right;
  const below = y - diaphragmAt(anatomy, 1, lateral);
  const bubble = 0.14 * bell((x - 0.38) / 0.1) * bell((below - 0.16) / 0.07);
  return 0.12 * (right + left * smoothstep(-0.005, 0.2, below)) - bubble;
}

/** Breast shadows over the lower lungs; `breasts` is their attenuation. */
function breastAt(anatomy: Anatomy, breasts: number, lateral: number, y: number): number {
  if (breasts === 0) return 0;
  const t = depthOf(anatomy, y);
  const [across, down] = [(lateral - 0.45) / 0.3, (t - 0.72) / 0.27];
  return breasts * smoothstep(1.1, 0.8, across * across + down * down);
}
