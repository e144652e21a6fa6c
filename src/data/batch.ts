/** Images and masks on their way to the device. */
export interface Batch {
  /** Which images, in order. */
  ids: string[];
  /** N. */
  count: number;
  /** R. */
  resolution: number;
  /** Grey levels 0 to 255, [N,R,R,1]. */
  images: Uint8Array;
  /** 0 or 1, [N,R,R,1]. */
  masks: Uint8Array;
}
