import { deviationOf, meanOf, NEAR, type Pair } from './figures.ts';
import { fixed, signed } from './tables.ts';

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
    `of its own. ${near} of ${pairs.length} seeds end within ${NEAR} of one another.${spreadWords(differences, pairs)}`
  );
}

/** The verdict on a difference of means: what it would be by chance, judged by how runs of other seeds differ. */
function spreadWords(differences: readonly number[], pairs: readonly Pair[]): string {
  if (differences.length < 2) return '';
  const ends = (side: keyof Pair) => pairs.map((pair) => pair[side].epochs.at(-1)!.dice);
  const [ours, keras] = [deviationOf(ends('ours')), deviationOf(ends('keras'))];
  const error = deviationOf(differences) / Math.sqrt(differences.length);
  const inside = Math.abs(meanOf(differences)) <= Math.max(ours, keras);
  return (
    ` From seed to seed ours has a standard deviation of ${fixed(ours)}, Keras's of ${fixed(keras)}; the mean difference of ` +
    `${signed(meanOf(differences))} has a standard error of ${fixed(error)} and is ${inside ? 'within' : 'beyond'} that spread.`
  );
}

function relative(ours: number, theirs: number): number {
  return Math.abs(ours - theirs) / Math.abs(theirs);
}
