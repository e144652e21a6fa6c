import type { GrayImage } from '../core/image.ts';
import { clahe } from './clahe.ts';
import type { DicomHeader, VoiWindow } from './header.ts';
import { percentileOf, tabulate, type ValueTable } from './modality.ts';
import type { NormalisationConfig } from './normalisation.ts';
import type { StoredPixels } from './stored-pixels.ts';
import { lutCurve, rangeCurve, type VoiCurve, windowCurve } from './voi.ts';

/** The picture as the file gives it. */
export const NORMALISATION_NONE: NormalisationConfig = { name: 'none' };

/** An 8-bit picture and what had to be done to get there, for the catalogue's notes. */
export interface Normalised {
  image: GrayImage;
  notes: string[];
}

/**
 * Brings stored values to 0 to 255 with air dark, in the order of PS3.3, C.11: the modality transform, then the grey
 * levels of interest, then the inversion of MONOCHROME1. The levels of interest are, by normalisation:
 * `none`: unsigned 8-bit values as they are, wider ones by the file's VOI LUT or first window, else their own range;
 * `window`: the window given, else the file's own whatever its bits;
 * `minmax`: from the low to the high percentile of the rescaled values;
 * `clahe`: those of `none`, then contrast-limited adaptive histogram equalisation of the upright picture.
 * Everything that is not the file's plain 8-bit values is noted. Such values are not copied: the picture shares their
 * memory.
 */
export function normalise(
  pixels: StoredPixels,
  header: DicomHeader,
  config: NormalisationConfig = NORMALISATION_NONE,
): Normalised {
  const { image: levels, notes } = levelsOf(pixels, header, config);
  const said = [...(pixels.notes ?? []), ...notes];
  const isInverse = header.photometric === 'MONOCHROME1';
  if (isInverse) said.push('MONOCHROME1 inverted');
  const image = isInverse ? { ...levels, data: levels.data.map((level) => 255 - level) } : levels;
  if (config.name !== 'clahe') return { image, notes: said };
  return { image: clahe(image, config.clip_limit, config.tiles), notes: said };
}

function levelsOf(pixels: StoredPixels, header: DicomHeader, config: NormalisationConfig): Normalised {
  const { width, height, data } = pixels;
  if (isPlain(header, config)) {
    const levels = data instanceof Uint8Array ? data : new Uint8Array(data);
    return { image: { width, height, data: levels }, notes: [] };
  }
  const table = tabulate(pixels, header);
  const { curve, note } = chooseCurve(table, header, config);
  // A Uint8ClampedArray rounds; a table of levels spares a curve per pixel.
  const levels = Uint8ClampedArray.from(table.modality, (value) => curve(value) * 255);
  const image = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) image[i] = levels[data[i]! - table.lowest]!;
  const lut = header.modalityLut === undefined ? [] : ['Modality LUT applied'];
  return { image: { width, height, data: image }, notes: [...lut, `${header.bitsStored}-bit values ${note}`] };
}

/** Values that are grey levels already and that nothing is asked of. */
function isPlain({ bitsStored, signed, window, voiLut }: DicomHeader, config: NormalisationConfig): boolean {
  if (bitsStored !== 8 || signed || config.name === 'minmax') return false;
  if (config.name !== 'window') return true;
  return config.center === undefined && window === undefined && voiLut === undefined;
}

interface Chosen {
  curve: VoiCurve;
  note: string;
}

/** Where a file has both a VOI LUT and windows, one of them is applied (C.11.2): the LUT, which is the more exact. */
function chooseCurve(table: ValueTable, header: DicomHeader, config: NormalisationConfig): Chosen {
  if (config.name === 'minmax') return stretch(table, config.low, config.high);
  if (config.name === 'window' && config.center !== undefined && config.width !== undefined) {
    return byWindow({ center: config.center, width: config.width, function: 'LINEAR' }, 'the window asked for');
  }
  if (header.voiLut !== undefined) return { curve: lutCurve(header.voiLut), note: "by the file's VOI LUT to 8 bit" };
  if (header.window !== undefined) return byWindow(header.window, "the file's window");
  return stretch(table, 0, 100);
}

function byWindow(window: VoiWindow, origin: string): Chosen {
  const { center, width } = window;
  return {
    curve: windowCurve(window),
    note: `of center ${round(center)} and width ${round(width)} (${origin}) stretched to 8 bit`,
  };
}

function stretch(table: ValueTable, low: number, high: number): Chosen {
  const [black, white] = [percentileOf(table, low), percentileOf(table, high)];
  const origin = low === 0 && high === 100 ? 'their own range' : `percentiles ${low} and ${high}`;
  return {
    curve: rangeCurve(black, white),
    note: `${round(black)} to ${round(white)} (${origin}) stretched to 8 bit`,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
