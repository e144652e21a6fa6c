import { setImmediate } from 'node:timers/promises';
import { UserError } from '../core/errors.ts';
import type { Progress, Terminal } from '../core/terminal.ts';
import { mapInWorkers } from '../core/worker-pool.ts';
import type { ProbabilityStore } from '../predict/probability-store.ts';
import type { WantedRows } from './check.ts';
import { type EncodedMask, encodeMask, type MaskSource } from './encode-mask.ts';
import type { MaskSetup } from './mask-worker.ts';

/** Fewer images are done before threads have begun. */
const LEAST_FOR_THREADS = 64;

/**
 * The mask of every wanted image (see encodeMask), by threads where there are many. Each thread has one image in memory at a
 * time, besides the codes. Throws UserError where a store lacks an image.
 * @param folds whether it is enough that one of the members has a word on an image
 */
export async function encodeMasks(
  wanted: WantedRows,
  source: MaskSource,
  { folds = false, terminal, signal }: { folds?: boolean; terminal: Terminal; signal: AbortSignal },
): Promise<Map<string, EncodedMask>> {
  const ids = [...new Set(wanted.rows.map(({ id }) => id))];
  const { stores, gateStore } = source;
  const alone = stores.map(({ store }) => [store]);
  // Of folds each image is in one store alone.
  const needed = folds ? [alone.flat()] : alone;
  for (const each of [...needed, ...(gateStore === undefined ? [] : [[gateStore]])]) requireImages(wanted, each);
  const progress = terminal.progress('masks', ids.length);
  try {
    const encode = ids.length < LEAST_FOR_THREADS ? encodeHere : encodeInThreads;
    const masks = await encode(ids, source, progress, signal);
    return new Map(ids.map((id, place) => [id, masks[place]!]));
  } finally {
    progress.stop();
  }
}

type Encode = (
  ids: readonly string[],
  source: MaskSource,
  progress: Progress,
  signal: AbortSignal,
) => Promise<EncodedMask[]>;

const encodeHere: Encode = async (ids, source, progress, signal) => {
  const masks: EncodedMask[] = [];
  for (const id of ids) {
    signal.throwIfAborted();
    masks.push(encodeMask(id, source));
    progress.advance();
    // Signals get their turn.
    await setImmediate();
  }
  return masks;
};

const encodeInThreads: Encode = async (ids, { stores, gateStore, config }, progress, signal) => {
  const places = stores.map(({ store, weight }) => ({ path: store.path, weight }));
  const setup: MaskSetup = { stores: places, gatePath: gateStore?.path, config };
  const onResult = () => progress.advance();
  return await mapInWorkers(new URL('./mask-worker.ts', import.meta.url), setup, ids, { signal, onResult });
};

function requireImages({ name, rows }: WantedRows, stores: readonly ProbabilityStore[]): void {
  const missing = rows.filter(({ id }) => !stores.some((store) => store.has(id)));
  if (missing.length === 0) return;
  const { id, line } = missing[0]!;
  throw new UserError(
    `Expected probabilities for every image of ${name} but ${missing.length} have none, the first being ${id} ` +
      `(line ${line}). Is its file there, and did \`npm run ingest\` accept it?`,
  );
}
