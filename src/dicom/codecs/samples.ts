import type { DicomHeader } from '../header.ts';
import type { Samples } from '../stored-pixels.ts';

/**
 * Cuts the stored bits out of words of 8 or 16 bits, in place (PS3.5, 8.1.1): `bitsStored` bits below and at the high
 * bit, sign-extended where signed; bits outside are dropped.
 */
export function toStored(words: Int32Array, { bitsStored, highBit, signed }: DicomHeader): Int32Array {
  const left = 31 - highBit;
  const right = 32 - bitsStored;
  for (let i = 0; i < words.length; i++) {
    words[i] = signed ? (words[i]! << left) >> right : (words[i]! << left) >>> right;
  }
  return words;
}

/**
 * Sign-extends what an image codec gives as unsigned numbers, where the header says signed; nothing is cut off, since a
 * lossy stream may have more bits than the header counts.
 */
export function withSign(samples: Int32Array | Uint16Array, { bitsStored, signed }: DicomHeader): Samples['data'] {
  if (!signed) return samples;
  const shift = 32 - bitsStored;
  const values = new Int32Array(samples);
  for (let i = 0; i < values.length; i++) values[i] = (values[i]! << shift) >> shift;
  return values;
}

/** Brings planes of samples (PS3.3, C.7.6.3.1.3) pixel by pixel; leaves the rest as it is. */
export function interleave(data: Int32Array, { samplesPerPixel, planar }: DicomHeader): Samples {
  if (samplesPerPixel === 1) return { channels: 1, data };
  if (!planar) return { channels: 3, data };
  const count = data.length / 3;
  return { channels: 3, data: data.map((_, i) => data[(i % 3) * count + Math.floor(i / 3)]!) };
}
