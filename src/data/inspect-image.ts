import { readFile } from 'node:fs/promises';
import { sha256 } from '../core/atomic-file.ts';
import { MASK_SIZE } from '../core/competition.ts';
import { messageOf, UserError } from '../core/errors.ts';
import type { GrayImage } from '../core/image.ts';
import { decodePixels } from '../dicom/decode.ts';
import type { DicomHeader } from '../dicom/header.ts';
import { normalise } from '../dicom/normalise.ts';
import { type DicomFile, parseDicom } from '../dicom/parse.ts';

/** What opening and decoding one image file has shown. */
export interface Inspection {
  bytes: number;
  sha256: string;
  /** Absent where the header itself cannot be read. */
  header: DicomHeader | undefined;
  notes: string[];
  /** Why the file cannot be used; '' when it can. */
  quarantined: string;
}

const OLDEST = 120;

/**
 * Reads, parses and decodes one file to its end. What is wrong with the file comes back as `quarantined`; only what is
 * wrong with the program is thrown.
 * @param file its name in messages.
 */
export async function inspectImage(path: string, file: string, imageId: string): Promise<Inspection> {
  const inspection: Inspection = { bytes: 0, sha256: '', header: undefined, notes: [], quarantined: '' };
  try {
    const bytes = await readBytes(path, file);
    inspection.bytes = bytes.length;
    inspection.sha256 = sha256(bytes);
    const dicom = parseDicom(bytes, file);
    inspection.header = dicom.header;
    const { notes } = await toGrayImage(dicom);
    inspection.notes = [...oddities(dicom.header, imageId), ...notes];
  } catch (error) {
    if (!(error instanceof UserError)) throw new Error(`${file}: ${messageOf(error)}`, { cause: error });
    inspection.quarantined = error.message;
  }
  return inspection;
}

/**
 * Reads a catalogued file's picture: 8 bit, air dark, at the file's own size.
 * Throws UserError where the file is not the catalogued one any more.
 * @param digest the SHA-256 that the catalogue has.
 */
export async function readGrayImage(path: string, file: string, digest: string): Promise<GrayImage> {
  const bytes = await readBytes(path, file);
  if (sha256(bytes) !== digest)
    throw new UserError(`${file}: changed since it was catalogued. Run \`npm run ingest\` again.`);
  return (await toGrayImage(parseDicom(bytes, file))).image;
}

async function toGrayImage(dicom: DicomFile) {
  return normalise(await decodePixels(dicom), dicom.header);
}

async function readBytes(path: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UserError(`${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function oddities(header: DicomHeader, imageId: string): string[] {
  const { sopInstanceUid, age, rows, columns } = header;
  const notes: string[] = [];
  if (sopInstanceUid !== imageId) notes.push(`SOPInstanceUID is ${sopInstanceUid === '' ? 'absent' : sopInstanceUid}`);
  if (age !== undefined && age > OLDEST) notes.push(`age ${age}`);
  if (rows !== MASK_SIZE || columns !== MASK_SIZE)
    notes.push(`${columns}×${rows} pixels, not ${MASK_SIZE}×${MASK_SIZE}`);
  return notes;
}
