/** What a codec gives: the values as the file stores them, row-major, before any window or inversion. */
export interface StoredPixels {
  width: number;
  height: number;
  data: Int32Array | Uint8Array;
}
