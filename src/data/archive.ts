import { buffer } from 'node:stream/consumers';
import { type Entry, openPromise } from 'yauzl';
import { expected, messageOf, UserError } from '../core/errors.ts';

/** A zip archive whose list of files has been read; the files stay in it. */
export interface Archive {
  /** Uncompressed size in bytes by name, with `/`; folders left out. */
  sizes: ReadonlyMap<string, number>;
  /** The bytes of one file. Throws UserError where it is not there, damaged, encrypted or larger than it says. */
  read(name: string): Promise<Uint8Array>;
  close(): void;
}

/** Stands in a path between an archive and a file in it: `siim.zip!/stage_2_images/ID_1.dcm`. */
const MARK = /\.zip!\//i;

/** Deflate makes at most 1,032 bytes of one (RFC 1951): an archive that promises more lies. */
const MOST_EXPANSION = 1_032;

/** The parts of a path into an archive; undefined for the path of an ordinary file. */
export function splitArchivePath(path: string): { archive: string; name: string } | undefined {
  const at = path.search(MARK);
  if (at < 0) return undefined;
  return { archive: path.slice(0, at + '.zip'.length), name: path.slice(at + '.zip!/'.length) };
}

/** The path of a file in an archive. */
export function archivePath(archive: string, name: string): string {
  return `${archive}!/${name}`;
}

/** Opens a zip archive and reads its list of files. Throws UserError where it is none or cut short. */
export async function openArchive(path: string): Promise<Archive> {
  const refuse = (error: unknown) =>
    new UserError(
      `${path}: this zip archive cannot be read: ${messageOf(error).replace(/\.$/, '')}. Download it again.`,
      {
        cause: error,
      },
    );
  const zip = await openPromise(path, { lazyEntries: true, autoClose: false }).catch((error) => {
    throw refuse(error);
  });
  const entries = new Map<string, Entry>();
  try {
    for await (const entry of zip.eachEntry()) if (!entry.fileName.endsWith('/')) entries.set(entry.fileName, entry);
  } catch (error) {
    zip.close();
    throw refuse(error);
  }
  const read = async (name: string): Promise<Uint8Array> => {
    const entry = entries.get(name);
    const where = archivePath(path, name);
    if (entry === undefined) throw new UserError(expected('a file of the archive', where, 'no such file'));
    requireHonestSize(entry, where);
    try {
      const bytes = await buffer(await zip.openReadStreamPromise(entry));
      if (crc32(bytes) !== entry.crc32) throw new Error('its CRC-32 is another');
      return bytes;
    } catch (error) {
      throw new UserError(`${where}: cannot be unpacked: ${messageOf(error)}`, { cause: error });
    }
  };
  const sizes = new Map([...entries].map(([name, entry]) => [name, entry.uncompressedSize]));
  return { sizes, read, close: () => zip.close() };
}

function requireHonestSize({ compressedSize, uncompressedSize }: Entry, where: string): void {
  if (uncompressedSize <= compressedSize * MOST_EXPANSION + 64) return;
  throw new UserError(expected(`at most ${MOST_EXPANSION} bytes of each packed one`, where, uncompressedSize));
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 of ISO 3309, as zip has it (Node's own came with 20.15). */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}
