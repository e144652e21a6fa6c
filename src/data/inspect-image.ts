import { stat } from 'node:fs/promises';
import { sha256 } from '../core/atomic-file.ts';
import { MASK_SIZE } from '../core/competition.ts';
import { messageOf, UserError } from '../core/errors.ts';
import type { GrayImage } from '../core/image.ts';
import { decodePixels } from '../dicom/decode.ts';
import type { DicomHeader } from '../dicom/header.ts';
import type { NormalisationConfig } from '../dicom/normalisation.ts';
import { NORMALISATION_NONE, normalise } from '../dicom/normalise.ts';
import { parseDicom } from '../dicom/parse.ts';
import type { StoredPixels } from '../dicom/stored-pixels.ts';
import { openArchive } from './archive.ts';
import { perceptualHash } from './perceptual-hash.ts';
import { isPicture, readPicture } from './picture-file.ts';
import { readSource } from './source-bytes.ts';

/** What opening and decoding one image file has shown. */
export interface Inspection {
  bytes: number;
  sha256: string;
  /** Absent where the header itself cannot be read. */
  header: DicomHeader | undefined;
  notes: string[];
  /** Of its picture, see perceptualHash; '' where it cannot be used. */
  phash: string;
  /** Why the file cannot be used; '' when it can. */
  quarantined: string;
  /** SHA-256 of its pixels for the cache, where they were shrunk on the way. */
  shrunk?: string;
}

/** A decoded picture before it is normalised. */
export interface Decoded {
  pixels: StoredPixels;
  header: DicomHeader;
}

const OLDEST = 120;

/**
 * Reads, parses and decodes one file to its end. What is wrong with the file comes back as `quarantined`; only what is
 * wrong with the program is thrown.
 * @param file its name in messages.
 * @param onDecoded given what was decoded, once.
 */
export async function inspectImage(
  path: string,
  file: string,
  imageId: string,
  onDecoded: (decoded: Decoded) => void = () => {},
): Promise<Inspection> {
  const inspection: Inspection = { bytes: 0, sha256: '', header: undefined, notes: [], phash: '', quarantined: '' };
  try {
    inspection.bytes = await sizeOnDisk(path);
    if (file.toLowerCase().endsWith('.zip')) await requireOpens(path, file);
    const bytes = await readSource(path, file);
    inspection.bytes = bytes.length;
    inspection.sha256 = sha256(bytes);
    const onHeader = (header: DicomHeader) => {
      inspection.header = header;
    };
    const decoded = await decodeSource(bytes, file, onHeader);
    const { header } = decoded;
    const { image, notes } = normalise(decoded.pixels, header, NORMALISATION_NONE);
    onDecoded(decoded);
    inspection.phash = perceptualHash(image);
    inspection.notes = [...oddities(header, imageId, isPicture(file)), ...notes];
  } catch (error) {
    if (!(error instanceof UserError)) throw new Error(`${file}: ${messageOf(error)}`, { cause: error });
    inspection.quarantined = error.message;
  }
  return inspection;
}

/** 0 for a file in an archive, whose list knows it. */
async function sizeOnDisk(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** An archive is listed as a file of its own only where it cannot be opened: says why. */
async function requireOpens(path: string, file: string): Promise<never> {
  const archive = await openArchive(path).catch((error) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message.replace(path, file), { cause: error });
  });
  archive.close();
  throw new UserError(`${file}: could not be opened before and can now. Run \`npm run ingest\` again.`);
}

/**
 * Reads a catalogued file's picture: 8 bit, air dark, at the file's own size.
 * Throws UserError where the file is not the catalogued one any more.
 * @param digest the SHA-256 that the catalogue has.
 */
export async function readGrayImage(
  path: string,
  file: string,
  digest: string,
  normalisation: NormalisationConfig,
): Promise<GrayImage> {
  const bytes = await readSource(path, file);
  if (sha256(bytes) !== digest)
    throw new UserError(`${file}: changed since it was catalogued. Run \`npm run ingest\` again.`);
  const { pixels, header } = await decodeSource(bytes, file);
  return normalise(pixels, header, normalisation).image;
}

/** @param onHeader told of the header before the pixels are decoded: what is known of a file that cannot be used. */
async function decodeSource(
  bytes: Uint8Array,
  file: string,
  onHeader: (header: DicomHeader) => void = () => {},
): Promise<Decoded> {
  if (isPicture(file)) {
    const { header, pixels, notes } = await readPicture(bytes, file);
    onHeader(header);
    return { header, pixels: { ...pixels, notes } };
  }
  const dicom = parseDicom(bytes, file);
  onHeader(dicom.header);
  return { header: dicom.header, pixels: await decodePixels(dicom) };
}

function oddities({ sopInstanceUid, age, rows, columns }: DicomHeader, imageId: string, picture: boolean): string[] {
  const notes: string[] = [];
  if (!picture && sopInstanceUid !== imageId)
    notes.push(`SOPInstanceUID is ${sopInstanceUid === '' ? 'absent' : sopInstanceUid}`);
  if (age !== undefined && age > OLDEST) notes.push(`age ${age}`);
  if (rows !== MASK_SIZE || columns !== MASK_SIZE)
    notes.push(`${columns}×${rows} pixels, not ${MASK_SIZE}×${MASK_SIZE}`);
  return notes;
}
