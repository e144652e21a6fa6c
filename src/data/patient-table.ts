import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { sha256 } from '../core/atomic-file.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';

/** A table of the user's that tells which patient an image shows. */
export interface PatientTable {
  /** By image id. */
  patients: ReadonlyMap<string, string>;
  /** Of the file. */
  sha256: string;
}

/** How many images got their patient from where. */
export interface PatientSources {
  /** Named by the table. */
  table: number;
  /** Not named, but of one tag with an image that is. */
  sameTag: number;
  /** Not named: by their own tag. */
  tag: number;
  /** Neither: each is a group of its own. */
  unknown: number;
}

/** The headers that columns may have, in any case; other columns are left aside. */
const IMAGE_COLUMNS = ['image_id', 'imageid', 'image', 'sopinstanceuid', 'sop_instance_uid', 'id'];
const PATIENT_COLUMNS = ['patient_id', 'patientid', 'patient', 'patient id'];

interface RawRecord {
  record: string[];
  info: { lines: number };
}

/**
 * Reads a CSV of images and patients: a header with `image_id` and `patient_id` (or `ImageId`, `PatientID`, …) at any
 * place; byte order mark, spaces, CRLF are fine. Throws UserError naming file and line where it is none, where a value is
 * empty, or where an image has two patients.
 */
export async function readPatientTable(path: string): Promise<PatientTable> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UserError(expected('a CSV of images and patients', path, messageOf(error)), { cause: error });
  });
  const [header, ...records] = splitRecords(bytes.toString('utf8'), path);
  const names = (header?.record ?? []).map((name) => name.toLowerCase());
  const columnOf = (accepted: readonly string[]) => {
    const column = names.findIndex((name) => accepted.includes(name));
    if (column >= 0) return column;
    throw new UserError(expected(`a column ${accepted[0]}`, `${path}:1`, names.join(',')));
  };
  const [image, patient] = [columnOf(IMAGE_COLUMNS), columnOf(PATIENT_COLUMNS)];
  const patients = new Map<string, string>();
  for (const { record, info } of records) {
    const [id = '', who = ''] = [record[image], record[patient]];
    const where = `${path}:${info.lines}`;
    if (id === '' || who === '') throw new UserError(expected('an image and its patient', where, record.join(',')));
    const before = patients.get(id) ?? who;
    if (before !== who) throw new UserError(expected(`the patient "${before}" that ${id} has above`, where, who));
    patients.set(id, who);
  }
  return { patients, sha256: sha256(bytes) };
}

/**
 * Images with the patients that a table tells. An image that it does not name takes the patient of those with its tag
 * where the table tells one (two names of a patient must not part them), else its own tag.
 */
export function applyPatientTable<I extends { id: string; patientId: string }>(
  images: readonly I[],
  { patients }: Pick<PatientTable, 'patients'>,
): { images: I[]; sources: PatientSources } {
  const byTag = new Map<string, string>();
  for (const { id, patientId } of images) {
    const told = patients.get(id);
    if (told !== undefined && patientId !== '' && !byTag.has(patientId)) byTag.set(patientId, told);
  }
  const sources: PatientSources = { table: 0, sameTag: 0, tag: 0, unknown: 0 };
  const named = images.map((image) => {
    const told = patients.get(image.id);
    const from =
      told !== undefined
        ? 'table'
        : image.patientId === ''
          ? 'unknown'
          : byTag.has(image.patientId)
            ? 'sameTag'
            : 'tag';
    sources[from]++;
    return { ...image, patientId: told ?? byTag.get(image.patientId) ?? image.patientId };
  });
  return { images: named, sources };
}

function splitRecords(text: string, path: string): RawRecord[] {
  try {
    const options = { bom: true, info: true, trim: true, relax_column_count: true, skip_empty_lines: true };
    return parse(text, { ...options, record_delimiter: ['\r\n', '\n', '\r'] }) as unknown as RawRecord[];
  } catch (error) {
    throw new UserError(`${path}: damaged CSV: ${messageOf(error)}`, { cause: error });
  }
}
