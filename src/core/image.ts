/** A grey picture, row-major, 0 to 255. */
export interface GrayImage {
  width: number;
  height: number;
  data: Uint8Array;
}

/** A binary picture, row-major, 1 inside and 0 outside. */
export interface Mask {
  width: number;
  height: number;
  data: Uint8Array;
}

/** An all-zero square mask of the given side in pixels. */
export function emptyMask(size: number): Mask {
  return { width: size, height: size, data: new Uint8Array(size * size) };
}

/** The number of pixels inside a mask. */
export function maskArea(mask: Mask): number {
  let area = 0;
  for (let i = 0; i < mask.data.length; i++) area += mask.data[i]!;
  return area;
}
