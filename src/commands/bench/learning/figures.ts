/** Of the network on the validation images, masks cut at 0.5. */
export interface Scores {
  dice: number;
  dice_positive: number;
  dice_empty: number;
}

/** What one training came to. */
export interface Learned {
  /** After each epoch. */
  epochs: Scores[];
  /** Of the weights averaged over the last epochs; only ours. */
  swa?: Scores;
  /** Of each update. */
  losses: number[];
  /** Learning rates of each update. */
  rates: number[];
  parameters: number;
  /** Validated on. */
  validation: { images: number; positives: number; dice_all_empty: number };
  /** Trained on. */
  training: { images: number; positives: number };
  versions: Record<string, string>;
}

/** All trainings of one seed. */
export interface SeedLearned {
  seed: number;
  /** From random weights; natural: with images as they come. */
  first: Pair & { natural: Learned };
  /** From the average that ours came to in the first stage. */
  second: Pair;
  /** Ours from there at a constant rate, every epoch averaged. */
  averaged: Learned;
}

/** Both sides on the same batches. */
export interface Pair {
  ours: Learned;
  keras: Learned;
}

/** One thing that the bench is to show. */
export interface LearningGoal {
  goal: string;
  /** In words, with its comparison. */
  limit: string;
  value: number;
  reached: boolean;
}

/** So far may the means of both sides lie from one another. */
export const NEAR = 0.02;
/** Positives are found where Dice on them is at least this. */
export const FOUND = 0.5;
/** So much above a submission without masks, at least, the network must be for a comparison to say anything. */
const LEARNED = 0.02;

/** What came of the goals, over all seeds. */
export function learningGoals(seeds: readonly SeedLearned[]): LearningGoal[] {
  const last = (learned: Learned) => learned.epochs.at(-1)!.dice;
  const mean = (of: (seed: SeedLearned) => number) => meanOf(seeds.map(of));
  const above = mean(({ second: { ours } }) => last(ours) - ours.validation.dice_all_empty);
  const apart = (pair: (seed: SeedLearned) => Pair) =>
    Math.abs(mean((seed) => last(pair(seed).ours) - last(pair(seed).keras)));
  const [second, first] = [apart((seed) => seed.second), apart((seed) => seed.first)];
  const gain = (ours: Learned) => ours.swa!.dice - last(ours);
  const falling = mean((seed) => (gain(seed.first.ours) + gain(seed.second.ours)) / 2);
  const constant = mean((seed) => gain(seed.averaged));
  const sooner = mean(({ first: { ours, natural } }) => epochsUntilFound(natural) - epochsUntilFound(ours));
  return [
    goal('second stage: our Dice above that of empty masks', `at least ${LEARNED}`, above, above >= LEARNED),
    goal('second stage: Dice of ours and Keras’s, means apart', `at most ${NEAR}`, second, second <= NEAR),
    goal('first stage: Dice of ours and Keras’s, means apart', `at most ${NEAR}`, first, first <= NEAR),
    goal('constant rate: Dice of SWA less that of the last epoch', 'at least 0', constant, constant >= 0),
    goal('both stages: Dice of SWA less that of the last epoch', 'at least 0', falling, falling >= 0),
    goal(
      `first stage: epochs until Dice on positives is ${FOUND}, natural less positives-sampled`,
      'above 0',
      sooner,
      sooner > 0,
    ),
  ];
}

function goal(words: string, limit: string, value: number, reached: boolean): LearningGoal {
  return { goal: words, limit, value, reached };
}

/** The first epoch, from 1, after which positives are found; one more than there are where they never are. */
export function epochsUntilFound({ epochs }: Pick<Learned, 'epochs'>): number {
  const first = epochs.findIndex(({ dice_positive }) => dice_positive >= FOUND);
  return 1 + (first === -1 ? epochs.length : first);
}

/** The mean of some values. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The standard deviation of a sample of at least two values; NaN of fewer. */
export function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
