import type { CatalogueRow } from '../catalogue.ts';

/** How usable files are written. */
export interface FileFacts {
  bytes: number;
  /** Files by transfer syntax, picture size and kind of note, most frequent first. */
  syntaxes: NamedCount[];
  sizes: NamedCount[];
  notes: NamedCount[];
}

export interface NamedCount {
  name: string;
  count: number;
}

/** Names of the transfer syntaxes that images come in (PS3.6, table A-1). */
const SYNTAX_NAMES: Record<string, string> = {
  '1.2.840.10008.1.2': 'Implicit VR Little Endian',
  '1.2.840.10008.1.2.1': 'Explicit VR Little Endian',
  '1.2.840.10008.1.2.1.99': 'Deflated Explicit VR Little Endian',
  '1.2.840.10008.1.2.2': 'Explicit VR Big Endian',
  '1.2.840.10008.1.2.4.50': 'JPEG Baseline',
  '1.2.840.10008.1.2.4.51': 'JPEG Extended',
  '1.2.840.10008.1.2.4.57': 'JPEG Lossless',
  '1.2.840.10008.1.2.4.70': 'JPEG Lossless, first-order prediction',
  '1.2.840.10008.1.2.4.80': 'JPEG-LS Lossless',
  '1.2.840.10008.1.2.4.81': 'JPEG-LS Near-Lossless',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000 Lossless',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
  '1.2.840.10008.1.2.5': 'RLE Lossless',
};

/** Counts usable files by how they are written. */
export function countFiles(usable: readonly CatalogueRow[]): FileFacts {
  return {
    bytes: usable.reduce((sum, { bytes }) => sum + bytes, 0),
    syntaxes: countNames(usable.map(({ transferSyntax }) => nameSyntax(transferSyntax))),
    sizes: countNames(usable.map(({ rows, columns }) => `${columns ?? '?'} × ${rows ?? '?'}`)),
    notes: countNames(usable.flatMap(({ notes }) => (notes === '' ? [] : notes.split('; ').map(kindOfNote)))),
  };
}

function nameSyntax(uid: string): string {
  if (uid === '') return 'no DICOM file, or not given';
  return SYNTAX_NAMES[uid] ?? uid;
}

/** A note without what differs from image to image. */
function kindOfNote(note: string): string {
  return note.replace(/^(SOPInstanceUID is) (?!absent).*/, '$1 another').replace(/^age \d+/, 'age over 120');
}

function countNames(names: readonly string[]): NamedCount[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}
