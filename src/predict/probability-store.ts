import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { deflate, inflateSync } from 'node:zlib';
import { asideOf, sha256, syncDirectory } from '../core/atomic-file.ts';
import { messageOf } from '../core/errors.ts';
import { openPart } from './partial-store.ts';
import { encodeIndex, readIndex, type StoreIndex } from './probability-index.ts';

/** Probabilities of one checkpoint and one TTA list on a list of images: round(255·p) at the model's resolution. */
export interface ProbabilityStore extends StoreFacts {
  /** Its file. */
  path: string;
  /** In the order in which they were written. */
  ids: readonly string[];
  has(id: string): boolean;
  /** The map of one image, [resolution, resolution] row-major, after the mean over TTA. Throws where the id is absent. */
  read(id: string): Uint8Array;
  /** The probability that an image has a mask at all; undefined without a presence head. Throws where the id is absent. */
  presenceOf(id: string): number | undefined;
  close(): void;
}

/** What all the maps of a store have in common. */
export interface StoreFacts {
  /** Side of each map in pixels. */
  resolution: number;
  /** Which checkpoint they are from. */
  checkpoint: string;
  /** The test-time augmentations that they are the mean of. */
  tta: readonly string[];
}

/** Writes a store aside, one image at a time; only `finish` puts it in place. */
export interface ProbabilityWriter {
  /** Images that an earlier attempt has written, in order; none where there was none or it is not to be taken up. */
  ids: readonly string[];
  /** `presence` of every image, or of none. */
  append(id: string, probabilities: Uint8Array, presence?: number): Promise<void>;
  finish(): Promise<void>;
  /** Removes what was written; harmless after `finish` or a second time. */
  abandon(): Promise<void>;
  /** Leaves what was written for a later attempt, where such a one can take it up; else as `abandon`. */
  leave(): Promise<void>;
}

const deflateAsync = promisify(deflate);

/** Maps are smooth: the fastest level packs them nearly as small as the slowest. */
const DEFLATE = { level: 1 };

/**
 * Begins a store: one file that holds a zlib-deflated chunk per image, then its index (see docs/reference/files.md). It
 * is written aside, synced and renamed, so that a reader sees a whole store or none; what was there is replaced.
 * @param takeUp where it is given, what an earlier attempt with this very text and these facts has written is gone on with
 */
export async function createProbabilityStore(
  path: string,
  facts: StoreFacts,
  { takeUp }: { takeUp?: string } = {},
): Promise<ProbabilityWriter> {
  await mkdir(dirname(path), { recursive: true });
  const index: StoreIndex = { ...facts, tta: [...facts.tta], ids: [], lengths: [], sha256: '' };
  const presences: number[] = [];
  const known = new Set<string>();
  const digest = createHash('sha256');
  const take = (id: string, chunk: Buffer, presence: number | undefined) => {
    digest.update(chunk);
    known.add(id);
    index.ids.push(id);
    index.lengths.push(chunk.length);
    if (presence !== undefined) presences.push(presence);
  };
  const part =
    takeUp === undefined
      ? undefined
      : await openPart(path, { ...facts, of: takeUp }, ({ id, presence }, bytes) => take(id, bytes, presence));
  const aside = part?.path ?? asideOf(path);
  const handle = part?.handle ?? (await open(aside, 'wx'));
  let [isOpen, isHeld] = [true, true];

  const append = async (id: string, probabilities: Uint8Array, presence?: number) => {
    if (probabilities.length !== facts.resolution ** 2) {
      throw new RangeError(`A map of side ${facts.resolution} has not ${probabilities.length} values (image ${id}).`);
    }
    if (known.has(id)) throw new Error(`${path} has probabilities of image ${id} already.`);
    const chunk = await deflateAsync(probabilities, DEFLATE);
    await handle.appendFile(chunk);
    await part?.note({
      id,
      length: chunk.length,
      sha256: sha256(chunk),
      ...(presence === undefined ? {} : { presence }),
    });
    take(id, chunk, presence);
  };
  const close = async () => {
    if (isOpen) await handle.close();
    isOpen = false;
  };
  /** What lies beside the chunks goes, or waits for a later attempt. */
  const letGo = async (how: 'end' | 'leave') => {
    if (isHeld) await part?.[how]();
    isHeld = false;
  };
  const abandon = async () => {
    await close();
    await rm(aside, { force: true });
    await letGo('end');
  };
  const leave = async () => {
    if (part === undefined) return await abandon();
    await close();
    await letGo('leave');
  };
  const finish = async () => {
    try {
      const heads = presences.length === 0 ? {} : { presences };
      await handle.appendFile(encodeIndex({ ...index, ...heads, sha256: digest.digest('hex') }));
      await handle.sync();
      await close();
      await rename(aside, path);
    } catch (error) {
      await leave();
      throw error;
    }
    await letGo('end');
    await syncDirectory(dirname(path));
  };
  return { ids: [...index.ids], append, finish, abandon, leave };
}

/**
 * Opens a store after comparing all of it with its SHA-256; reading an image then touches its chunk alone.
 * Throws Error where the file is missing or damaged.
 */
export async function openProbabilityStore(path: string): Promise<ProbabilityStore> {
  const index = await readWhole(path);
  const { resolution, checkpoint, tta, ids, lengths, presences } = index;
  const places = new Map<string, { position: number; length: number; presence: number | undefined }>();
  let position = 0;
  for (const [place, id] of ids.entries()) {
    const length = lengths[place]!;
    places.set(id, { position, length, presence: presences?.[place] });
    position += length;
  }
  const find = (id: string) => {
    const place = places.get(id);
    if (place === undefined) throw new Error(`${path} has no probabilities of image ${id}.`);
    return place;
  };
  let file: number | undefined = openSync(path, 'r');
  return {
    path,
    resolution,
    checkpoint,
    tta,
    ids,
    has: (id) => places.has(id),
    presenceOf: (id) => find(id).presence,
    read: (id) => {
      if (file === undefined) throw new Error(`${path} is closed.`);
      const place = find(id);
      const chunk = Buffer.alloc(place.length);
      readSync(file, chunk, 0, place.length, place.position);
      const map = inflateSync(chunk);
      if (map.length === resolution ** 2) return map;
      throw new Error(`${path} has ${map.length} values for image ${id} instead of ${resolution}².`);
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

async function readWhole(path: string): Promise<StoreIndex> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new Error(`Cannot read the probabilities ${path}: ${messageOf(error)}.`, { cause: error });
  });
  try {
    const index = await readIndex(file);
    const bytes = index.lengths.reduce((sum, each) => sum + each, 0);
    if ((await digestOf(file, bytes)) !== index.sha256) throw new Error('the SHA-256 of its chunks does not fit');
    return index;
  } catch (error) {
    const next = 'Remove the file and predict again.';
    throw new Error(`The probabilities ${path} are damaged: ${messageOf(error)}. ${next}`, { cause: error });
  } finally {
    await file.close();
  }
}

async function digestOf(file: FileHandle, bytes: number): Promise<string> {
  const digest = createHash('sha256');
  if (bytes === 0) return digest.digest('hex');
  for await (const part of file.createReadStream({ start: 0, end: bytes - 1, autoClose: false })) digest.update(part);
  return digest.digest('hex');
}
