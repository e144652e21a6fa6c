import type { Halving } from '../config/sweep.ts';
import type { RankedTrial } from './sweep-events.ts';

/**
 * The epochs at which trials are held against one another: first_epoch, and each `factor` times the one before, below the number of
 * epochs (Jamieson and Talwalkar, 2016, algorithm 1).
 */
export function rungEpochs({ first_epoch: first, factor }: Halving, epochs: number): number[] {
  const rungs: number[] = [];
  for (let epoch = first; Math.round(epoch) < epochs; epoch *= factor) rungs.push(Math.round(epoch));
  // Small factors meet an epoch twice.
  return [...new Set(rungs)];
}

/**
 * Who of the trials goes on: the best 1/factor of them, rounded up, and those whose Dice is within the margin of the last of these; a
 * trial without a Dice counts as 0. Both lists the best first, equals by name. `limit` is the Dice that it took.
 */
export function halve(
  trials: readonly RankedTrial[],
  { factor, margin }: Pick<Halving, 'factor' | 'margin'>,
): { limit: number; kept: RankedTrial[]; stopped: RankedTrial[] } {
  const ranked = [...trials].sort((a, b) => b.dice - a.dice || a.trial.localeCompare(b.trial));
  const last = ranked[Math.ceil(ranked.length / factor) - 1];
  const limit = last === undefined ? 0 : last.dice - margin;
  const kept = ranked.filter(({ dice }, index) => index < Math.ceil(ranked.length / factor) || dice >= limit);
  return { limit, kept, stopped: ranked.slice(kept.length) };
}
