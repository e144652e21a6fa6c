import { type CheckpointIndex, type CheckpointName, MOST_TOP } from '../models/checkpoint.ts';
import type { SavedCheckpoint, ValidationMetrics } from './keep-checkpoints.ts';

/** Which figure each best checkpoint is chosen by, and whether more of it is better. */
const MONITORED = [
  { name: 'best-loss', metric: 'val/loss', sign: -1 },
  { name: 'best-dice', metric: 'val/dice', sign: 1 },
  { name: 'best-iou', metric: 'val/iou', sign: 1 },
] as const;
export const BEST_NAMES = MONITORED.map(({ name }) => name);
export type BestName = (typeof BEST_NAMES)[number];

/** The best epochs of a run so far, which every checkpoint remembers. */
export interface Ranking {
  /** By each monitored metric; of equals the earlier one. */
  bests: Partial<Record<BestName, Omit<SavedCheckpoint, 'names'>>>;
  /** All that were validated in this run, the best Dice first, of equals the earlier one: kept or not. */
  ranked: { id: string; dice: number }[];
}

/** Takes an epoch into a ranking; returns the names that are its own now, `top-` ones down to `keepTopK`. */
export function rankEpoch(
  ranking: Ranking,
  epoch: { id: string; sha256: string; metrics: ValidationMetrics },
  keepTopK: number,
): CheckpointName[] {
  const { bests, ranked } = ranking;
  const names: CheckpointName[] = [];
  for (const { name, metric, sign } of MONITORED) {
    const best = bests[name];
    if (best !== undefined && !(sign * epoch.metrics[metric] > sign * best.metrics[metric])) continue;
    bests[name] = epoch;
    names.push(name);
  }
  const dice = epoch.metrics['val/dice'];
  const worse = ranked.findIndex((other) => dice > other.dice);
  const place = worse < 0 ? ranked.length : worse;
  ranked.splice(place, 0, { id: epoch.id, dice });
  return place < keepTopK ? [...names, topName(place)] : names;
}

/** What each name means by a ranking. One whose checkpoint is not there (any more) means nothing, and so do all of lower rank than k. */
export function namesOf(
  { bests, ranked }: Ranking,
  keepTopK: number,
  isThere: (id: string) => boolean,
): { [N in keyof CheckpointIndex]: string | undefined } {
  const there = (id: string | undefined) => (id !== undefined && isThere(id) ? id : undefined);
  const best = BEST_NAMES.map((name) => [name, there(bests[name]?.id)]);
  const top = TOP_PLACES.map((place) => [topName(place), place < keepTopK ? there(ranked[place]?.id) : undefined]);
  return Object.fromEntries([...best, ...top]);
}

const TOP_PLACES = Array.from({ length: MOST_TOP }, (_, place) => place);

/** `top-1` for the place 0. */
function topName(place: number): CheckpointName {
  return `top-${place + 1}` as CheckpointName;
}
