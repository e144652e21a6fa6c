import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';

/** What a wheel's RECORD says of a file (binary distribution format, "The .dist-info directory"). */
type Record = Map<string, { sha256: string; bytes: number }>;

/**
 * Unpacks the wanted files of a wheel, comparing each with the SHA-256 that the wheel's own RECORD gives; what can be run
 * in the wheel can be run afterwards. Returns the checksums in hexadecimal. Throws where a file differs from its checksum.
 * @param signal looked at before each file: throws what it was aborted with
 */
export async function extractWheel(
  wheel: string,
  into: string,
  wanted: (file: string) => boolean,
  signal?: AbortSignal,
): Promise<{ [file: string]: { sha256: string; bytes: number } }> {
  const record = parseRecord(await readWheelText(wheel, '.dist-info/RECORD'));
  const extracted: { [file: string]: { sha256: string; bytes: number } } = {};
  await eachEntry(wheel, async (zip, entry) => {
    signal?.throwIfAborted();
    if (entry.fileName.endsWith('/') || !wanted(entry.fileName)) return;
    const expected = record.get(entry.fileName);
    const digest = await extractEntry(zip, entry, join(into, entry.fileName));
    if (expected === undefined || digest !== expected.sha256) {
      throw new Error(`Expected SHA-256 ${expected?.sha256} for ${entry.fileName} in ${wheel} but received ${digest}.`);
    }
    extracted[entry.fileName] = expected;
  });
  return extracted;
}

/** The text of the one file of a wheel whose name ends so. Throws where there is none. */
export async function readWheelText(wheel: string, nameEnd: string): Promise<string> {
  let text: string | undefined;
  await eachEntry(wheel, async (zip, entry) => {
    if (!entry.fileName.endsWith(nameEnd)) return;
    const chunks: Buffer[] = [];
    for await (const chunk of await openEntry(zip, entry)) chunks.push(chunk as Buffer);
    text = Buffer.concat(chunks).toString('utf8');
  });
  if (text === undefined) throw new Error(`Expected a file …${nameEnd} in ${wheel} but it holds none.`);
  return text;
}

/** Lines `path,sha256=<base64url>,bytes`; paths with commas are quoted and none of ours has one. */
function parseRecord(text: string): Record {
  const record: Record = new Map();
  for (const line of text.split('\n')) {
    const [file, digest, bytes] = line.trim().split(',');
    if (file === undefined || !digest?.startsWith('sha256=')) continue;
    const sha256 = Buffer.from(digest.slice('sha256='.length), 'base64url').toString('hex');
    record.set(file, { sha256, bytes: Number(bytes) });
  }
  return record;
}

async function eachEntry(wheel: string, visit: (zip: ZipFile, entry: Entry) => Promise<void>): Promise<void> {
  const zip = await openPromise(wheel, { lazyEntries: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) await visit(zip, entry);
  } finally {
    zip.close();
  }
}

async function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return await zip.openReadStreamPromise(entry);
}

async function extractEntry(zip: ZipFile, entry: Entry, path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  const source = await openEntry(zip, entry);
  source.on('data', (chunk: Buffer) => hash.update(chunk));
  await pipeline(source, createWriteStream(path, { mode: isExecutable(entry) ? 0o777 : 0o666 }));
  return hash.digest('hex');
}

/** TensorFlow runs programs of CUDA's wheels (ptxas). As pip has it: who may run a file in a wheel does not limit who may then. */
function isExecutable(entry: Entry): boolean {
  return ((entry.externalFileAttributes >>> 16) & 0o111) !== 0;
}
