import { buffer } from 'node:stream/consumers';
import { ZipArchive } from 'archiver';

/** The earliest date that a zip can hold. */
const ENTRY_DATE = new Date(Date.UTC(1980, 0, 1));

/**
 * A zip of files by name. Entries have one fixed date and mode and are stored as they are: compressed bytes differ
 * between versions of zlib, and these must depend on nothing but names and contents.
 */
export async function zipFiles(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const archive = new ZipArchive({ store: true });
  const whole = buffer(archive);
  for (const [name, content] of Object.entries(files)) {
    archive.append(Buffer.from(content), { name, date: ENTRY_DATE, mode: 0o644 });
  }
  await archive.finalize();
  return await whole;
}
