/**
 * The choice that a mistyped word most likely meant, or undefined when none is near: at most one edit for every three
 * letters. Else an equal last part counts (`lr` finds `lr_schedule.lr`), or an equal beginning (`warmup` finds
 * `warmup_updates`).
 */
export function nearest(word: string, choices: readonly string[]): string | undefined {
  const least = Math.max(1, Math.floor(word.length / 3));
  const ranked = choices
    .map((choice) => ({ choice, distance: editDistance(word.toLowerCase(), choice.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best !== undefined && best.distance <= least) return best.choice;
  return choices.find((choice) => choice.endsWith(`.${word}`)) ?? choices.find((choice) => startsAlike(word, choice));
}

function startsAlike(word: string, choice: string): boolean {
  return Math.min(word.length, choice.length) >= 3 && (choice.startsWith(word) || word.startsWith(choice));
}

/** `Did you mean x?`, or '' when no choice is near. */
export function didYouMean(word: string, choices: readonly string[]): string {
  const choice = nearest(word, choices);
  return choice === undefined ? '' : `Did you mean ${choice}?`;
}

/**
 * The least number of insertions, deletions, replacements and swaps of neighbours between two words
 * (Damerau and Levenshtein's distance in its restricted form, optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)]);
  for (let j = 1; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, replaced);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) distance = Math.min(distance, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = distance;
    }
  }
  return rows[a.length]![b.length]!;
}
