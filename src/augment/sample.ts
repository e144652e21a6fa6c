/** One image and its mask on the way to the network; steps change both together, in place. */
export interface Sample {
  /** Side in pixels of both. */
  size: number;
  /** Grey levels 0 to 255, row-major. */
  image: Uint8Array;
  /** 0 or 1, row-major. */
  mask: Uint8Array;
}
