import { type Anatomy, depthOf, diaphragmAt, type Side } from './anatomy.ts';
import { bell, smoothstep } from './field.ts';

/** Attenuation of air around the body, and of the trunk where it is thickest. */
const AIR = 0.03;
const TRUNK = 0.6;

/** Attenuation of everything that is neither lung nor bone at a point: air is 0.03, the trunk 0.6, the middle about 0.8. */
export function softTissueAt(anatomy: Anatomy, breasts: number, x: number, y: number): number {
  const side: Side = x < 0 ? -1 : 1;
  const lateral = Math.abs(x);
  const body = trunkAt(anatomy, lateral, y);
  if (body <= 0) return AIR;
  const inside = middleAt(anatomy, x, y) + bellyAt(anatomy, side, lateral, y) + breastAt(anatomy, breasts, lateral, y);
  return AIR + body * (TRUNK - AIR + inside);
}

/** 0 outside the body, 1 where it is thickest: the trunk, thinning to its sides, and the shoulders and neck above it. */
function trunkAt(anatomy: Anatomy, lateral: number, y: number): number {
  const breadth = anatomy.torsoX + 0.05 * y;
  const edge = breadth - lateral;
  const relative = Math.min(1, lateral / (breadth + 0.02));
  const trunk = smoothstep(-0.01, 0.025, edge) * (0.5 + 0.5 * Math.sqrt(1 - relative * relative));
  const armpit = -0.42 + 0.1 * (lateral - breadth);
  const shoulder = 0.55 * smoothstep(armpit + 0.1, armpit - 0.08, y);
  const top = anatomy.shoulderY - 0.1 + 0.3 * smoothstep(0.22, 0.75, lateral) - 0.5 * smoothstep(0.28, 0.2, lateral);
  return Math.max(trunk, shoulder) * smoothstep(top, top + 0.16, y);
}

/** Spine, mediastinum and heart, less the windpipe. */
function middleAt(anatomy: Anatomy, x: number, y: number): number {
  const heartY = anatomy.domeY[1] - 0.14;
  const heart = 0.2 * bell((x - 0.09) / (anatomy.heartX * 0.55)) * bell((y - heartY) / 0.22);
  const spine = 0.09 * smoothstep(0.1, 0.06, Math.abs(x)) * (1 + 0.2 * Math.sin(y * 42));
  const windpipe = 0.09 * bell((x + 0.01) / 0.032) * smoothstep(-0.2, -0.35, y);
  return heart + spine + 0.14 * bell(x / 0.13) - windpipe;
}

/** What lies below the diaphragm, with the stomach's bubble on the patient's left. */
function bellyAt(anatomy: Anatomy, side: Side, lateral: number, y: number): number {
  const below = y - diaphragmAt(anatomy, side, Math.min(lateral, anatomy.wallX));
  const belly = 0.12 * smoothstep(-0.005, 0.2, below);
  if (side < 0) return belly;
  return belly - 0.14 * bell((lateral - 0.38) / 0.1) * bell((below - 0.16) / 0.07);
}

/** Breast shadows over the lower lungs; `breasts` is their attenuation. */
function breastAt(anatomy: Anatomy, breasts: number, lateral: number, y: number): number {
  if (breasts === 0) return 0;
  const t = depthOf(anatomy, y);
  const [across, down] = [(lateral - 0.45) / 0.3, (t - 0.72) / 0.27];
  return breasts * smoothstep(1.1, 0.8, across * across + down * down);
}
