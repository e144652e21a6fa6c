/** Above so many members there are too many neighbours to look at: the grid alone counts. */
const MOST_REFINED = 3;

/**
 * Weights of members to try, as whole numbers of which only the proportions count: every way of sharing two more parts than
 * there are members among them, each getting one or more; equal ones first.
 */
export function weightGrid(members: number): number[][] {
  const equal = Array.from({ length: members }, () => 1);
  const shared = shareOut(members + 2, members);
  return members === 1 ? [equal] : [equal, ...shared.filter((weights) => weights.some((each) => each !== weights[0]))];
}

/** Weights half a step of the grid away: one member gives half a part to another one. */
export function weightNeighbours(weights: readonly number[]): number[][] {
  if (weights.length === 1 || weights.length > MOST_REFINED) return [];
  const doubled = weights.map((weight) => 2 * weight);
  return doubled.flatMap((_, from) =>
    doubled.flatMap((_, to) => {
      if (from === to) return [];
      return [doubled.map((weight, place) => weight + (place === to ? 1 : 0) - (place === from ? 1 : 0))];
    }),
  );
}

/** One key for all weights of the same proportions. */
export function weightKey(weights: readonly number[]): string {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (weight / total).toFixed(9)).join(' ');
}

function shareOut(parts: number, members: number): number[][] {
  if (members === 1) return [[parts]];
  const firsts = Array.from({ length: parts - members + 1 }, (_, extra) => extra + 1);
  return firsts.flatMap((first) => shareOut(parts - first, members - 1).map((rest) => [first, ...rest]));
}
