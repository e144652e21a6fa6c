import type { GrayImage } from '../core/image.ts';
import type { DicomHeader } from './header.ts';
import type { StoredPixels } from './stored-pixels.ts';

/** An 8-bit picture and what had to be done to get there, for the catalogue's notes. */
export interface Normalised {
  image: GrayImage;
  notes: string[];
}

/**
 * Brings stored values to 0 to 255 with air dark: unsigned 8-bit values are taken as they are; wider or signed ones are
 * stretched linearly over the file's first window (PS3.3 C.11.2.1.2), or where there is none over their own minimum
 * and maximum; MONOCHROME1, which stores air bright, is inverted last. Everything but the first is noted.
 */
export function normalise(pixels: StoredPixels, header: DicomHeader): Normalised {
  const { image, notes } = header.bitsStored === 8 && !header.signed ? asIs(pixels) : stretch(pixels, header);
  if (header.photometric !== 'MONOCHROME1') return { image, notes };
  const inverted = image.data.map((value) => 255 - value);
  return { image: { ...image, data: inverted }, notes: [...notes, 'MONOCHROME1 inverted'] };
}

function asIs({ width, height, data }: StoredPixels): Normalised {
  return { image: { width, height, data: data instanceof Uint8Array ? data : Uint8Array.from(data) }, notes: [] };
}

function stretch({ width, height, data }: StoredPixels, header: DicomHeader): Normalised {
  const [low, high] = header.window === undefined ? rangeOf(data) : windowRange(header.window, header.rescale);
  const scale = high > low ? 255 / (high - low) : 0;
  // A Uint8ClampedArray rounds and keeps to 0 to 255.
  const stretched = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i++) stretched[i] = (data[i]! - low) * scale;
  const origin = header.window === undefined ? 'their own range' : 'the window';
  return {
    image: { width, height, data: new Uint8Array(stretched.buffer) },
    notes: [`${header.bitsStored}-bit values ${round(low)} to ${round(high)} (${origin}) stretched to 8 bit`],
  };
}

/** The stored values that a window's ends stand for: the formula of C.11.2.1.2.1, solved for its input. */
function windowRange(window: NonNullable<DicomHeader['window']>, rescale: DicomHeader['rescale']): [number, number] {
  const slope = rescale.slope === 0 ? 1 : rescale.slope;
  const low = window.center - 0.5 - (window.width - 1) / 2;
  const high = window.center - 0.5 + (window.width - 1) / 2;
  return [(low - rescale.intercept) / slope, (high - rescale.intercept) / slope];
}

function rangeOf(data: StoredPixels['data']): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
