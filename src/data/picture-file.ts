import sharp from 'sharp';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { Mask } from '../core/image.ts';
import type { DicomHeader } from '../dicom/header.ts';
import type { StoredPixels } from '../dicom/stored-pixels.ts';

/** Most pixels of a picture: twice the width and height of the largest detector. */
const MOST_PIXELS = 8192 ** 2;
/** In a mask of grey levels (JPEG blurs edges) these and brighter ones are inside. */
const INSIDE = 128;

const NAMES: Readonly<Record<string, string>> = { png: 'png', jpeg: 'jpeg' };

/** Whether a source file is a picture and no DICOM file, by its name. */
export function isPicture(file: string): boolean {
  return /\.(png|jpe?g)$/i.test(file);
}

/**
 * Decodes a PNG or JPEG picture as if its grey levels were a DICOM file's stored values, 8 or 16 bit; a coloured one
 * becomes its luminance, and an alpha channel is dropped. Nothing is known of the patient.
 * Throws UserError where it is damaged, cut short or impossibly large.
 */
export async function readPicture(
  bytes: Uint8Array,
  where: string,
): Promise<{ header: DicomHeader; pixels: StoredPixels; notes: string[] }> {
  const { picture, format, channels, deep } = await openPicture(bytes, where);
  const grey = picture.removeAlpha().toColourspace(deep ? 'grey16' : 'b-w');
  const raw = deep ? grey.raw({ depth: 'ushort' }) : grey.raw();
  const { data, info } = await attempt(raw.toBuffer({ resolveWithObject: true }), where);
  const { width, height } = info;
  const values = deep ? new Uint16Array(data.buffer, data.byteOffset, width * height) : data;
  if (info.channels !== 1 || values.length !== width * height)
    throw new Error(`${where}: decoded to ${info.channels} channels.`);
  const header = pictureHeader({ format, width, height, bits: deep ? 16 : 8 });
  const pixels = { width, height, data: deep ? Int32Array.from(values) : data };
  return { header, pixels, notes: channels > 2 ? [`a ${format} of ${channels} channels, made grey`] : [] };
}

/**
 * Decodes a mask picture of any size: 1 where its grey level is at least 128, or above 0 in one that uses 0 and 1 only.
 * Throws UserError where it is damaged.
 */
export async function readMaskPicture(bytes: Uint8Array, where: string): Promise<Mask> {
  const { picture } = await openPicture(bytes, where);
  const grey = picture.removeAlpha().toColourspace('b-w').raw();
  const { data, info } = await attempt(grey.toBuffer({ resolveWithObject: true }), where);
  const least = data.some((value) => value > 1) ? INSIDE : 1;
  return { width: info.width, height: info.height, data: Uint8Array.from(data, (value) => (value >= least ? 1 : 0)) };
}

async function openPicture(bytes: Uint8Array, where: string) {
  const picture = sharp(bytes, { limitInputPixels: MOST_PIXELS, sequentialRead: true, failOn: 'warning' });
  const { width, height, format, channels, depth } = await attempt(picture.metadata(), where);
  const name = NAMES[format ?? ''];
  if (name === undefined) throw new UserError(expected('a PNG or JPEG picture', where, format));
  if (width * height > MOST_PIXELS) {
    throw new UserError(expected(`at most ${MOST_PIXELS} pixels`, where, `${width}×${height}`));
  }
  return { picture, format: name, channels, deep: depth === 'ushort' };
}

function pictureHeader({
  format,
  width,
  height,
  bits,
}: {
  format: string;
  width: number;
  height: number;
  bits: number;
}) {
  const unknown = { patientId: '', sex: '', age: undefined, view: '', pixelSpacing: '', window: undefined };
  const shape = { rows: height, columns: width, bitsAllocated: bits, bitsStored: bits, highBit: bits - 1 };
  const kind = { signed: false, samplesPerPixel: 1, frames: 1, photometric: 'MONOCHROME2' };
  const rescale = { slope: 1, intercept: 0 };
  const none = { planar: false, padding: undefined, modalityLut: undefined, voiLut: undefined };
  return { ...unknown, ...shape, ...kind, ...none, rescale, transferSyntax: format, sopInstanceUid: '' };
}

async function attempt<T>(work: Promise<T>, where: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new UserError(`${where}: damaged picture: ${messageOf(error)}`, { cause: error });
  }
}
