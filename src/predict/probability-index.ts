import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { sha256 } from '../core/atomic-file.ts';
import { messageOf } from '../core/errors.ts';

/** What a store's last part says of the chunks before it. */
const storeIndex = z.strictObject({
  resolution: z.int().min(1),
  checkpoint: z.string(),
  tta: z.array(z.string()),
  /** SHA-256 of all chunks together, in hexadecimal. */
  sha256: z.string(),
  ids: z.array(z.string()),
  /** Bytes of each chunk, in the order of the ids. */
  lengths: z.array(z.int().min(1)),
  /** Of each image, the probability that it has a mask at all; left out where the network has no presence head. */
  presences: z.array(z.number().min(0).max(1)).optional(),
});
export type StoreIndex = z.infer<typeof storeIndex>;

/** Ends every store; the digit is the format's version. */
const MAGIC = 'PROBMAP1';
const SHA256_BYTES = 32;
const TAIL_BYTES = SHA256_BYTES + 4 + MAGIC.length;

/** What follows the chunks: the index as JSON, its SHA-256, its length (uint32, little-endian), the magic. */
export function encodeIndex(index: StoreIndex): Buffer {
  const json = Buffer.from(JSON.stringify(index));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([json, Buffer.from(sha256(json), 'hex'), length, Buffer.from(MAGIC)]);
}

/** Reads a store's index back and compares it with its SHA-256. Throws Error where this is no store, or a damaged one. */
export async function readIndex(file: FileHandle): Promise<StoreIndex> {
  const { size } = await file.stat();
  if (size < TAIL_BYTES) throw new Error(`it has only ${size} bytes`);
  const tail = await readExactly(file, size - TAIL_BYTES, TAIL_BYTES);
  if (tail.toString('latin1', SHA256_BYTES + 4) !== MAGIC) throw new Error(`it does not end in ${MAGIC}`);
  const length = tail.readUInt32LE(SHA256_BYTES);
  if (length > size - TAIL_BYTES) throw new Error(`it has no room for an index of ${length} bytes`);
  const json = await readExactly(file, size - TAIL_BYTES - length, length);
  if (sha256(json) !== tail.toString('hex', 0, SHA256_BYTES)) throw new Error('the SHA-256 of its index does not fit');
  const index = parseIndex(json.toString());
  const chunks = index.lengths.reduce((sum, each) => sum + each, 0);
  const { ids, presences = ids } = index;
  if (presences.length !== ids.length)
    throw new Error(`its index has ${presences.length} presences of ${ids.length} images`);
  if (ids.length !== index.lengths.length || chunks !== size - TAIL_BYTES - length) {
    throw new Error(`its index speaks of ${ids.length} images in ${chunks} bytes, which do not fit`);
  }
  return index;
}

function parseIndex(json: string): StoreIndex {
  try {
    return storeIndex.parse(JSON.parse(json));
  } catch (error) {
    throw new Error(`its index cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Bytes at a position. Throws where the file ends before. */
async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  if (bytesRead !== length) throw new Error(`it ends after ${position + bytesRead} bytes`);
  return bytes;
}
