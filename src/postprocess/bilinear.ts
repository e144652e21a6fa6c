/** How each pixel along one axis of the larger grid lies between two of the smaller one's. */
export interface BilinearAxis {
  /** The smaller grid's pixel before it and the one after it; beyond an edge both are the edge's own. */
  low: Int32Array;
  high: Int32Array;
  /** How far it is from `low` to `high`, in [0, 1). */
  fraction: Float64Array;
}

/**
 * Half-pixel centres (align_corners false): pixel i of `size` lies at (i + 0.5)·resolution/size − 0.5 of `resolution`,
 * edges clamped, no antialiasing. In whole numbers, so that the fraction is never rounded up to nearly 1.
 */
export function bilinearAxis(resolution: number, size: number): BilinearAxis {
  const axis = { low: new Int32Array(size), high: new Int32Array(size), fraction: new Float64Array(size) };
  for (let i = 0; i < size; i++) {
    const position = (2 * i + 1) * resolution - size; // in units of 1/(2·size) pixels
    const before = Math.floor(position / (2 * size));
    axis.low[i] = Math.max(before, 0);
    axis.high[i] = Math.min(before + 1, resolution - 1);
    axis.fraction[i] = (position - before * 2 * size) / (2 * size);
  }
  return axis;
}

/** The value at a fraction of the way from `a` to `b`; of this form rounding never leaves the two. */
export function mix(a: number, b: number, fraction: number): number {
  return a + (b - a) * fraction;
}

/** A row of values at every pixel of the larger grid. */
export function widenRow(row: Uint8Array, { low, high, fraction }: BilinearAxis): Float64Array {
  const wide = new Float64Array(low.length);
  for (let x = 0; x < wide.length; x++) wide[x] = mix(row[low[x]!]!, row[high[x]!]!, fraction[x]!);
  return wide;
}
