import type { Runs } from '../../core/rle.ts';
import type { ProbabilityStore } from '../../predict/probability-store.ts';
import { readMember } from '../encode-mask.ts';
import type { ImageInput } from './tabulate-image.ts';

/** A validation image that settings are tuned on. */
export interface TuneImage {
  id: string;
  truth: Runs;
  /** '' where none is known. */
  patient: string;
  /** Places of the members that were validated on it: the others have no word on it. */
  voters: readonly number[];
}

/** The stored probabilities that images are tabulated from. */
export interface TuneStores {
  /** One for each member. */
  stores: readonly ProbabilityStore[];
  gateStore: ProbabilityStore | undefined;
}

/** Reads what is stored of an image. Throws Error where a store lacks it. */
export function readInput({ id, truth, voters }: TuneImage, { stores, gateStore }: TuneStores): ImageInput {
  return {
    members: stores.map((store, place) => (voters.includes(place) ? readMember(store, id, 1) : undefined)),
    gate: gateStore && readMember(gateStore, id, 1),
    truth,
  };
}
