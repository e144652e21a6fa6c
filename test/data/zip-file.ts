import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ZipArchive } from 'archiver';

/** Writes a zip archive; `stored` entries are not deflated. */
export async function writeZip(
  path: string,
  entries: Readonly<Record<string, string | Uint8Array>>,
  { stored = false } = {},
): Promise<void> {
  const zip = new ZipArchive({ store: stored });
  for (const [name, bytes] of Object.entries(entries)) zip.append(Buffer.from(bytes), { name });
  await Promise.all([pipeline(zip, createWriteStream(path)), zip.finalize()]);
}
