import { setImmediate } from 'node:timers/promises';
import { UserError } from '../core/errors.ts';
import { formatRle, maskToRuns, parseRle, type Runs, runsToMask } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';
import { type PostprocessConfig, predictMask } from '../postprocess/index.ts';
import type { ProbabilityStore } from '../predict/probability-store.ts';
import type { WantedRows } from './check.ts';

/** A member's probabilities and its share in the mean. */
export interface WeightedStore {
  store: ProbabilityStore;
  weight: number;
}

/** An image's mask, as runs and as the code that was read back and compared with it. */
export interface EncodedMask {
  runs: Runs;
  rle: string;
}

/**
 * The mask of every wanted image: weighted mean over members, threshold, post-processing, code. One image is in memory
 * at a time, besides the codes. Throws UserError where a store lacks an image.
 */
export async function encodeMasks(
  wanted: WantedRows,
  stores: readonly WeightedStore[],
  config: PostprocessConfig,
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Promise<Map<string, EncodedMask>> {
  const ids = new Set(wanted.rows.map(({ id }) => id));
  for (const { store } of stores) requireImages(wanted, store);
  const masks = new Map<string, EncodedMask>();
  const progress = terminal.progress('masks', ids.size);
  try {
    for (const id of ids) {
      signal.throwIfAborted();
      masks.set(id, encodeMask(id, stores, config));
      progress.advance();
      // Signals get their turn.
      await setImmediate();
    }
  } finally {
    progress.stop();
  }
  return masks;
}

function encodeMask(id: string, stores: readonly WeightedStore[], config: PostprocessConfig): EncodedMask {
  const members = stores.map(({ store, weight }) => ({
    probabilities: store.read(id),
    resolution: store.resolution,
    presence: store.presenceOf(id),
    weight,
  }));
  const mask = predictMask(members, config);
  const runs = maskToRuns(mask);
  const rle = formatRle(runs);
  const decoded = runsToMask(parseRle(rle, `image ${id}`));
  if (Buffer.compare(decoded.data, mask.data) !== 0) throw new Error(`The code of image ${id} is not of its mask.`);
  return { runs, rle };
}

function requireImages({ name, rows }: WantedRows, store: ProbabilityStore): void {
  const known = new Set(store.ids);
  const missing = rows.filter(({ id }) => !known.has(id));
  if (missing.length === 0) return;
  const { id, line } = missing[0]!;
  throw new UserError(
    `Expected probabilities for every image of ${name} but ${missing.length} have none, the first being ${id} ` +
      `(line ${line}). Is its file there, and did \`npm run ingest\` accept it?`,
  );
}
