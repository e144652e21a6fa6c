import type { Rng } from '../../core/random.ts';
import { type Field, zeroField } from './field.ts';

/** Where a tree of vessels starts and what carries its points to pixels. */
export interface VesselRoot {
  side: -1 | 1;
  lateral: number;
  y: number;
  toPixel: (x: number, y: number) => [number, number];
}

interface Branch {
  lateral: number;
  y: number;
  /** Radians from straight lateral, downwards. */
  angle: number;
  /** Radius in units. */
  radius: number;
  length: number;
}

/** Lung vessels as trees that leave the hilum, fork and thin out: 0 to 1, to be kept within the lungs. */
export function drawVessels(rng: Rng, roots: readonly VesselRoot[], size: number): Field {
  const vessels = zeroField(size);
  for (const root of roots) {
    for (let i = 0; i < TRUNKS; i++) {
      const angle = -1.45 + (2.75 * (i + rng.between(0.2, 0.8))) / TRUNKS;
      const start = { lateral: root.lateral, y: root.y + 0.1 * Math.sin(angle) };
      const branch = { ...start, angle, radius: rng.between(0.014, 0.022), length: rng.between(0.22, 0.32) };
      growBranch(vessels, rng, root, branch);
    }
  }
  return vessels;
}

const TRUNKS = 9;
/** Vessels thinner than this many units (1.3 pixels of 1024) are left out. */
const THINNEST = 0.0026;

function growBranch(vessels: Field, rng: Rng, root: VesselRoot, branch: Branch): void {
  const stride = 0.008;
  let { lateral, y, angle, radius } = branch;
  for (let gone = 0; gone < branch.length; gone += stride) {
    stamp(vessels, root.toPixel(root.side * lateral, y), (radius * vessels.size) / 2, radius);
    angle += 0.09 * rng.normal();
    lateral += stride * Math.cos(angle);
    y += stride * Math.sin(angle);
    radius *= 0.987;
  }
  if (radius < THINNEST) return;
  const fork = rng.between(0.25, 0.55);
  for (const turn of [fork, -fork * rng.between(0.5, 1.1)]) {
    const length = branch.length * rng.between(0.62, 0.85);
    growBranch(vessels, rng, root, { lateral, y, angle: angle + turn, radius: radius * 0.8, length });
  }
}

/** A soft disc, kept where it is the brightest yet: a thick vessel attenuates more. */
function stamp({ size, data }: Field, [column, row]: [number, number], pixels: number, radius: number): void {
  const reach = Math.max(1.3, 1.6 * pixels);
  const strength = Math.min(1, 0.3 + radius / 0.02);
  const lastRow = Math.min(size - 1, Math.floor(row + reach));
  const lastColumn = Math.min(size - 1, Math.floor(column + reach));
  for (let r = Math.max(0, Math.ceil(row - reach)); r <= lastRow; r++) {
    for (let c = Math.max(0, Math.ceil(column - reach)); c <= lastColumn; c++) {
      const near = 1 - ((r - row) ** 2 + (c - column) ** 2) / (reach * reach);
      const i = r * size + c;
      if (near > 0) data[i] = Math.max(data[i]!, strength * near * near);
    }
  }
}
