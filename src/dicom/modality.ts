import type { DicomHeader } from './header.ts';
import { lookUp } from './lut.ts';
import type { StoredPixels } from './stored-pixels.ts';

/** The distinct stored values of an image from the smallest to the largest, and what each stands for. */
export interface ValueTable {
  /** The smallest stored value: entry 0 of both tables. */
  lowest: number;
  /** How many pixels have each value; padding is not counted. */
  counts: Uint32Array;
  /** Each value in rescaled units. */
  modality: Float64Array;
}

/**
 * Counts an image's stored values and takes each through the modality transform (PS3.3, C.11.1): the Modality LUT where
 * there is one, otherwise slope and intercept. 16-bit images have at most 65,536 values, so what follows is per value.
 */
export function tabulate({ data }: StoredPixels, header: DicomHeader): ValueTable {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  const counts = new Uint32Array(highest - lowest + 1);
  for (let i = 0; i < data.length; i++) counts[data[i]! - lowest]! += 1;
  clearPadding(counts, lowest, header.padding);
  return { lowest, counts, modality: Float64Array.from(counts, (_, i) => toModality(lowest + i, header)) };
}

/** What a stored value stands for. A slope of 0, which would blacken everything, counts as the absent one. */
function toModality(stored: number, { modalityLut, rescale }: DicomHeader): number {
  if (modalityLut !== undefined) return lookUp(modalityLut, stored);
  return stored * (rescale.slope === 0 ? 1 : rescale.slope) + rescale.intercept;
}

/** Padding is no part of the image's range, unless there is nothing else. */
function clearPadding(counts: Uint32Array, lowest: number, padding: DicomHeader['padding']): void {
  if (padding === undefined) return;
  const first = Math.max(padding.low - lowest, 0);
  const last = Math.min(padding.high - lowest, counts.length - 1);
  const isPadding = (_: number, i: number) => i >= first && i <= last;
  if (counts.some((count, i) => count > 0 && !isPadding(count, i))) counts.fill(0, first, Math.max(last + 1, first));
}

/**
 * The rescaled value below which a share of the pixels lies, padding left out: the smallest value whose cumulative
 * count reaches it (nearest rank).
 * @param percentile 0 (the smallest value) to 100 (the largest).
 */
export function percentileOf({ counts, modality }: ValueTable, percentile: number): number {
  const present = [...counts.keys()].filter((i) => counts[i]! > 0).sort((a, b) => modality[a]! - modality[b]!);
  const total = present.reduce((sum, i) => sum + counts[i]!, 0);
  const rank = Math.max(1, Math.ceil((percentile / 100) * total));
  let seen = 0;
  for (const i of present) {
    seen += counts[i]!;
    if (seen >= rank) return modality[i]!;
  }
  return modality[present.at(-1) ?? 0]!;
}
