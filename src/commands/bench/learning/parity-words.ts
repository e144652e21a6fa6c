import { deviationOf, NEAR, type Pair } from './figures.ts';
import { fixed } from './tables.ts';

/** The losses of both sides count as one computation's while they are this near, relatively. */
const ONE = 0.01;

/** How long both sides are one computation, and what one seed's difference is worth. Pairs: one for each seed. */
export function parityWords(pairs: readonly Pair[]): string {
  const first = Math.max(...pairs.map(({ ours, keras }) => relative(ours.losses[0]!, keras.losses[0]!)));
  const parted = pairs.map(({ ours, keras }) => {
    const at = ours.losses.findIndex((loss, update) => relative(loss, keras.losses[update]!) > ONE);
    return at === -1 ? 'never' : String(at + 1);
  });
  const differences = pairs.map(({ ours, keras }) => ours.epochs.at(-1)!.dice - keras.epochs.at(-1)!.dice);
  const near = differences.filter((difference) => Math.abs(difference) <= NEAR).length;
  return (
    `The losses of the first update agree to ${first.toExponential(0)}. Sums are taken in another order, and training magnifies what that ` +
    `rounds: the losses are ${100 * ONE} % apart first at update ${parted.join(', ')} (by seed), and from about there on each side is a run ` +
    `of its own. ${near} of ${pairs.length} seeds end within ${NEAR} of one another.${spreadWords(differences)}`
  );
}

function spreadWords(differences: readonly number[]): string {
  if (differences.length < 2) return '';
  const deviation = deviationOf(differences);
  const error = deviation / Math.sqrt(differences.length);
  return ` The differences have a standard deviation of ${fixed(deviation)}, their mean a standard error of ${fixed(error)}.`;
}

function relative(ours: number, theirs: number): number {
  return Math.abs(ours - theirs) / Math.abs(theirs);
}
