import type { Machine } from '../peers/machine.ts';
import {
  epochsUntilFound,
  FOUND,
  type Learned,
  learningGoals,
  meanOf,
  type Scores,
  type SeedLearned,
} from './figures.ts';
import { parityWords } from './parity-words.ts';
import { type Arm, AVERAGED, type LearningPlan, POSITIVE_FRACTION } from './plan.ts';
import { type Column, fixed, seedTable, signed, table } from './tables.ts';

/** What the report says of its making. */
export interface LearningHead {
  /** As typed. */
  command: string;
  /** YYYY-MM-DD. */
  date: string;
  machine: Machine;
  plan: LearningPlan;
}

/** The report in Markdown. */
export function learningReport({ command, date, machine, plan }: LearningHead, seeds: readonly SeedLearned[]): string {
  const { first, second } = seeds[0]!;
  const { training, validation, parameters } = first.ours;
  const versions = Object.assign({}, first.ours.versions, first.keras.versions);
  const half = plan.resolution / 2;
  const stage = ({ rates }: Learned, epochs: number) =>
    `${rates.length} updates in ${epochs} epochs, cosine from ${Math.max(...rates).toExponential(0)}`;
  return `# Is the learning real?

\`${command}\`

EfficientNet-B0 U-Net (${parameters.toLocaleString('en-US')} parameters), batches of 4, loss 5·BCE + Dice, Adam, float32, on a phantom: ${training.images} images to
train on (${training.positives} positive), ${validation.images} of other patients to validate on (${validation.positives} positive). Two stages, as the report's chain has them:

1. ${half}², from random weights: ${stage(first.ours, plan.epochs[0])}.
2. ${plan.resolution}², from the average that ours came to in the first: ${stage(second.ours, plan.epochs[1])}.

Ours is trained as \`npm run exp\` trains, ${100 * POSITIVE_FRACTION} % of an epoch's images positive. Keras begins each stage with the same weights and gets the same
augmented batches, byte by byte, the same loss and the same learning rate at each update. Both sides' probabilities are scored
by the same code: the competition's Dice at 1024², cut at 0.5. Empty masks alone score ${fixed(validation.dice_all_empty)}.

## Goals

${table(
  ['goal', '', 'measured', 'reached'],
  learningGoals(seeds).map(({ goal, limit, value, reached }) => [goal, limit, signed(value), reached ? 'yes' : 'no']),
)}

## Ours and Keras

Second stage, after its last epoch:

${parityTable(seeds.map(({ seed, second }) => ({ seed, ...second })))}

${parityWords(seeds.map(({ second }) => second))}

First stage, after its last epoch:

${parityTable(seeds.map(({ seed, first }) => ({ seed, ...first })))}

${parityWords(seeds.map(({ first }) => first))}

## SWA and the last epoch

Ours, batch-norm statistics of the average recomputed over the training images. As SWA was published, at ${half}² from the first stage's
end at a constant rate of ${AVERAGED.lr.toExponential(0)}, all ${AVERAGED.epochs} epochs averaged:

${averageTable(seeds, { averaged: 'constant rate' })}

As the stages end, their last two epochs averaged while the cosine falls, so that the last epoch has settled by itself:

${averageTable(seeds, { first: 'first stage', second: 'second stage' })}

## Positives sampled and images as they come

Ours in the first stage, with ${100 * POSITIVE_FRACTION} % of an epoch's images positive or each image once (${percent(training)} % positive): as many updates, the same initial
weights and learning rates. Epochs until Dice on positives is ${FOUND} (one more than there are where it never is):

${soonerTable(seeds)}

## Curves

Means over the seeds, by epoch. First stage:

${curvesTable(seeds.map(({ first: { ours, keras, natural } }) => ({ ours, Keras: keras, natural })))}

Second stage:

${curvesTable(seeds.map(({ second: { ours, keras } }) => ({ ours, Keras: keras })))}

## Measured on

- ${date}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}
- ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}
`;
}

const last = (learned: Learned): Scores => learned.epochs.at(-1)!;

/** The mean over the updates of the last epoch. */
function lastLoss({ losses, epochs }: Learned): number {
  return meanOf(losses.slice(-Math.round(losses.length / epochs.length)));
}

function parityTable(rows: readonly { seed: number; ours: Learned; keras: Learned }[]): string {
  const columns: Column<(typeof rows)[number]>[] = [
    { title: 'Dice, ours', of: ({ ours }) => last(ours).dice },
    { title: 'Dice, Keras', of: ({ keras }) => last(keras).dice },
    { title: 'difference', of: ({ ours, keras }) => last(ours).dice - last(keras).dice, format: signed },
    { title: 'on positives, ours', of: ({ ours }) => last(ours).dice_positive },
    { title: 'on positives, Keras', of: ({ keras }) => last(keras).dice_positive },
    { title: 'training loss of the epoch, ours', of: ({ ours }) => lastLoss(ours) },
    { title: 'training loss of the epoch, Keras', of: ({ keras }) => lastLoss(keras) },
  ];
  return seedTable(columns, rows);
}

/** Of the stages that have a title. */
function averageTable(seeds: readonly SeedLearned[], titles: Partial<Record<Arm['stage'], string>>): string {
  const trained = ({ first, second, averaged }: SeedLearned) => ({ first: first.ours, second: second.ours, averaged });
  const columns = Object.entries(titles).flatMap(([stage, title]): Column<SeedLearned>[] => {
    const of = (seed: SeedLearned) => trained(seed)[stage as Arm['stage']];
    const swa = (seed: SeedLearned) => of(seed).swa!.dice;
    const end = (seed: SeedLearned) => last(of(seed)).dice;
    return [
      { title: `${title}, SWA`, of: swa },
      { title: 'last epoch', of: end },
      { title: 'difference', of: (seed) => swa(seed) - end(seed), format: signed },
    ];
  });
  return seedTable(columns, seeds);
}

function soonerTable(seeds: readonly SeedLearned[]): string {
  const over = ({ epochs }: Learned) => meanOf(epochs.map(({ dice_positive }) => dice_positive));
  const format = (value: number) => value.toFixed(1);
  const columns: Column<SeedLearned>[] = [
    { title: 'epochs, sampled', of: ({ first }) => epochsUntilFound(first.ours), format },
    { title: 'epochs, natural', of: ({ first }) => epochsUntilFound(first.natural), format },
    { title: 'mean Dice on positives over the epochs, sampled', of: ({ first }) => over(first.ours) },
    { title: 'natural', of: ({ first }) => over(first.natural) },
    { title: 'last Dice, sampled', of: ({ first }) => last(first.ours).dice },
    { title: 'natural', of: ({ first }) => last(first.natural).dice },
  ];
  return seedTable(columns, seeds);
}

/** Each seed's trainings by their titles. */
function curvesTable(seeds: readonly Record<string, Learned>[]): string {
  const titles = Object.keys(seeds[0]!);
  const columns = [
    { words: 'Dice', figure: 'dice' as const },
    { words: 'on positives', figure: 'dice_positive' as const },
  ].flatMap(({ words, figure }) => titles.map((title) => ({ head: `${words}, ${title}`, title, figure })));
  const rows = seeds[0]![titles[0]!]!.epochs.map((_, epoch) => [
    String(epoch + 1),
    ...columns.map(({ title, figure }) => fixed(meanOf(seeds.map((each) => each[title]!.epochs[epoch]![figure])))),
  ]);
  return table(['epoch', ...columns.map(({ head }) => head)], rows);
}

function percent({ images, positives }: { images: number; positives: number }): string {
  return ((100 * positives) / images).toFixed(0);
}
