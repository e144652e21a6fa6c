/**
 * Images and masks on their way to the device. A loader fills the same memory again and again: its batch is valid until
 * the next one is asked for, so whoever wants to keep something copies it.
 */
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
