import { formatRle, maskToRuns, parseRle, type Runs, runsToMask } from '../core/rle.ts';
import { type MemberImage, type PostprocessConfig, predictMask } from '../postprocess/index.ts';
import type { ProbabilityStore } from '../predict/probability-store.ts';

/** A member's probabilities and its share in the mean. */
export interface WeightedStore {
  store: ProbabilityStore;
  weight: number;
}

/** What masks are made of. */
export interface MaskSource {
  stores: readonly WeightedStore[];
  /** Whose evidence the gate looks at, where it is another run's. */
  gateStore: ProbabilityStore | undefined;
  config: PostprocessConfig;
}

/** An image's mask, as runs and as the code that was read back and compared with it. */
export interface EncodedMask {
  runs: Runs;
  rle: string;
}

/** The mask of one image: weighted mean over the members that have a word on it, post-processing, code. Throws Error where none has. */
export function encodeMask(id: string, { stores, gateStore, config }: MaskSource): EncodedMask {
  const voters = stores.filter(({ store }) => store.has(id));
  const members = voters.map(({ store, weight }) => readMember(store, id, weight));
  const mask = predictMask(members, config, gateStore && [readMember(gateStore, id, 1)]);
  const runs = maskToRuns(mask);
  const rle = formatRle(runs);
  const decoded = runsToMask(parseRle(rle, `image ${id}`));
  if (Buffer.compare(decoded.data, mask.data) !== 0) throw new Error(`The code of image ${id} is not of its mask.`);
  return { runs, rle };
}

/** What a member says of an image. */
export function readMember(store: ProbabilityStore, id: string, weight: number): MemberImage {
  return { probabilities: store.read(id), resolution: store.resolution, presence: store.presenceOf(id), weight };
}
