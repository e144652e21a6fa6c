/** The values as the file stores them, row-major, before any window or inversion. */
export interface StoredPixels {
  width: number;
  height: number;
  data: Int32Array | Uint8Array;
  /** What had to be done to decode them, for the catalogue. */
  notes?: string[];
}

/** What a codec gives: samples of 8 to 16 bits, those of a pixel side by side, row-major. */
export interface Samples {
  /** Per pixel: 1, or 3 for colour. */
  channels: 1 | 3;
  /** What the three are; a codec that undoes a colour transform says RGB whatever the header says. */
  colour?: 'RGB';
  data: Int32Array | Uint8Array | Uint16Array;
}
