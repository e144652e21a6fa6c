import type { DicomHeader } from './header.ts';
import type { Samples, StoredPixels } from './stored-pixels.ts';

/** Luma of ITU-R BT.601, which is also the Y of DICOM's YBR_FULL (PS3.3, C.7.6.3.1.2). */
const [RED, GREEN, BLUE] = [0.299, 0.587, 0.114];

/** One grey value per pixel: grey samples as they are, the luma of colour ones, which is noted as a warning. */
export function toGrey({ channels, colour, data }: Samples, header: DicomHeader): StoredPixels {
  const { columns: width, rows: height, photometric } = header;
  const wide = data instanceof Uint16Array ? new Int32Array(data) : data;
  if (channels === 1) return { width, height, data: wide };
  const isRgb = colour === 'RGB' || photometric === 'RGB';
  const grey = new Int32Array(width * height);
  for (let i = 0, at = 0; i < grey.length; i++, at += 3) {
    grey[i] = isRgb ? Math.round(RED * wide[at]! + GREEN * wide[at + 1]! + BLUE * wide[at + 2]!) : wide[at]!;
  }
  return { width, height, data: grey, notes: [`colour (${photometric}) reduced to its brightness`] };
}
