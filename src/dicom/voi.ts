import type { VoiWindow } from './header.ts';
import { type Lut, lookUp } from './lut.ts';

/** Rescaled units to brightness, 0 to 1. */
export type VoiCurve = (value: number) => number;

/**
 * The curve of a window (PS3.3): LINEAR of C.11.2.1.2.1, whose ends are half a unit inside, SIGMOID of C.11.2.1.3.1, or
 * LINEAR_EXACT of C.11.2.1.3.2.
 */
export function windowCurve({ center, width, function: curve }: VoiWindow): VoiCurve {
  switch (curve) {
    case 'LINEAR':
      // A width of 1 is a threshold.
      if (width === 1) return (value) => (value > center - 0.5 ? 1 : 0);
      return (value) => clamp((value - (center - 0.5)) / (width - 1) + 0.5);
    case 'LINEAR_EXACT':
      return (value) => clamp((value - center) / width + 0.5);
    case 'SIGMOID':
      return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
  }
}

/** The curve of a VOI LUT (PS3.3, C.11.2.1.1): its entries over the most that its bits can hold. */
export function lutCurve(lut: Lut): VoiCurve {
  const white = 2 ** lut.bits - 1;
  return (value) => clamp(lookUp(lut, value) / white);
}

/** A straight line from 0 at `low` to 1 at `high`; 0 everywhere where the two are equal. */
export function rangeCurve(low: number, high: number): VoiCurve {
  return high > low ? (value) => clamp((value - low) / (high - low)) : () => 0;
}

function clamp(share: number): number {
  return Math.min(Math.max(share, 0), 1);
}
