import type { Machine } from '../peers/machine.ts';
import {
  deviationOf,
  epochsUntilFound,
  FOUND,
  type Learned,
  learningGoals,
  meanOf,
  NEAR,
  type Scores,
  type SeedLearned,
} from './figures.ts';
import { type LearningPlan, POSITIVE_FRACTION, SWA_EPOCHS } from './plan.ts';

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
  const { training, validation, losses, parameters, rates } = seeds[0]!.ours;
  const versions = Object.assign({}, ...seeds.flatMap(({ ours, keras }) => [ours.versions, keras.versions]));
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# Is the learning real?

\`${command}\`

EfficientNet-B0 U-Net (${parameters.toLocaleString('en-US')} parameters) from random weights at ${plan.resolution}² × 4, ${losses.length} updates in ${plan.epochs} epochs, loss
5·BCE + Dice, Adam, cosine from ${highest(rates)}, float32, on a phantom: ${training.images} images to train on (${training.positives} positive), ${validation.images} of other
patients to validate on (${validation.positives} positive). Ours is trained as \`npm run exp\` trains. Keras begins with the same weights and gets the
same augmented batches, byte by byte, the same loss and the same learning rate at each update. Both sides' probabilities are
scored by the same code: the competition's Dice at 1024², cut at 0.5. Empty masks alone score ${fixed(validation.dice_all_empty)}.

## Goals

${table(
  ['goal', '', 'measured', 'reached'],
  learningGoals(seeds).map(({ goal, limit, value, reached }) => [goal, limit, signed(value), reached ? 'yes' : 'no']),
)}

## Ours and Keras

After the last epoch:

${parityTable(seeds)}

${parityWords(seeds)}

## SWA and the last epoch

Ours; the weights of the last ${Math.min(SWA_EPOCHS, plan.epochs)} epochs averaged, batch-norm statistics recomputed over the training images:

${averageTable(seeds)}

## Positives sampled and images as they come

Ours, with ${100 * POSITIVE_FRACTION} % of an epoch's images positive or each image once (${percent(training)} % positive). As many updates, the same initial weights and
learning rates. Epochs until Dice on positives is ${FOUND} (one more than there are where it never is):

${soonerTable(seeds)}

## Curves

Means over the seeds, by epoch:

${curvesTable(seeds)}

## Measured on

- ${date}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}
- ${named.join(', ')}
`;
}

const last = (learned: Learned): Scores => learned.epochs.at(-1)!;

function parityTable(seeds: readonly SeedLearned[]): string {
  const columns = (of: (scores: Scores) => number) => [
    (seed: SeedLearned) => of(last(seed.ours)),
    (seed: SeedLearned) => of(last(seed.keras)),
  ];
  const [ours, keras] = columns(({ dice }) => dice);
  const difference = (seed: SeedLearned) => ours!(seed) - keras!(seed);
  return seedTable(
    ['Dice, ours', 'Dice, Keras', 'difference', 'on positives, ours', 'on positives, Keras'],
    [fixed, fixed, signed, fixed, fixed],
    [ours!, keras!, difference, ...columns(({ dice_positive }) => dice_positive)],
    seeds,
  );
}

/** How far the sides are one computation, and what one seed's difference is worth. */
function parityWords(seeds: readonly SeedLearned[]): string {
  const first = Math.max(...seeds.map(({ ours, keras }) => relative(ours.losses[0]!, keras.losses[0]!)));
  const apart = seeds.map(({ ours, keras }) => {
    const at = ours.losses.findIndex((loss, update) => relative(loss, keras.losses[update]!) > 0.01);
    return at === -1 ? 'never' : String(at + 1);
  });
  const near = seeds.filter(({ ours, keras }) => Math.abs(last(ours).dice - last(keras).dice) <= NEAR).length;
  const spread = deviationOf(seeds.map(({ ours, keras }) => last(ours).dice - last(keras).dice));
  const tail = Number.isNaN(spread)
    ? ''
    : ` The differences have a standard deviation of ${fixed(spread)}, their mean a standard error of ${fixed(spread / Math.sqrt(seeds.length))}.`;
  return (
    `The losses of the first update agree to ${first.toExponential(0)}. Rounding differs, and training magnifies it: by update ` +
    `${apart.join(', ')} (by seed) the losses are 1 % apart, and from there on each side is a run of its own. ` +
    `${near} of ${seeds.length} seeds end within ${NEAR} of one another.${tail}`
  );
}

function relative(ours: number, theirs: number): number {
  return Math.abs(ours - theirs) / Math.abs(theirs);
}

function averageTable(seeds: readonly SeedLearned[]): string {
  const swa = ({ ours }: SeedLearned) => ours.swa!.dice;
  const end = ({ ours }: SeedLearned) => last(ours).dice;
  return seedTable(
    ['Dice, SWA', 'Dice, last epoch', 'difference', 'on positives, SWA', 'on positives, last epoch'],
    [fixed, fixed, signed, fixed, fixed],
    [
      swa,
      end,
      (seed) => swa(seed) - end(seed),
      ({ ours }) => ours.swa!.dice_positive,
      ({ ours }) => last(ours).dice_positive,
    ],
    seeds,
  );
}

function soonerTable(seeds: readonly SeedLearned[]): string {
  const over = ({ epochs }: Learned) => meanOf(epochs.map(({ dice_positive }) => dice_positive));
  const whole = (value: number) => value.toFixed(1);
  return seedTable(
    ['epochs, sampled', 'epochs, natural', 'mean Dice on positives over the epochs, sampled', 'natural'],
    [whole, whole, fixed, fixed],
    [
      ({ ours }) => epochsUntilFound(ours),
      ({ natural }) => epochsUntilFound(natural),
      ({ ours }) => over(ours),
      ({ natural }) => over(natural),
    ],
    seeds,
  );
}

function curvesTable(seeds: readonly SeedLearned[]): string {
  const arms = ['ours', 'keras', 'natural'] as const;
  const figures = ['dice', 'dice_positive'] as const;
  const head = [
    ...['epoch', 'Dice, ours', 'Dice, Keras', 'Dice, natural'],
    ...['on positives, ours', 'on positives, Keras', 'on positives, natural'],
  ];
  const rows = seeds[0]!.ours.epochs.map((_, epoch) => [
    String(epoch + 1),
    ...figures.flatMap((figure) =>
      arms.map((arm) => fixed(meanOf(seeds.map((seed) => seed[arm].epochs[epoch]![figure])))),
    ),
  ]);
  return table(head, rows);
}

/** One line for each seed, and the mean ± the standard deviation over them. */
function seedTable(
  titles: readonly string[],
  formats: readonly ((value: number) => string)[],
  columns: readonly ((seed: SeedLearned) => number)[],
  seeds: readonly SeedLearned[],
): string {
  const rows = seeds.map((seed) => [String(seed.seed), ...columns.map((of, at) => formats[at]!(of(seed)))]);
  const over = columns.map((of, at) => {
    const values = seeds.map(of);
    const spread = deviationOf(values);
    return formats[at]!(meanOf(values)) + (Number.isNaN(spread) ? '' : ` ± ${fixed(spread)}`);
  });
  return table(['seed', ...titles], [...rows, ['mean ± sd', ...over]]);
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function percent({ images, positives }: { images: number; positives: number }): string {
  return ((100 * positives) / images).toFixed(0);
}

function highest(rates: readonly number[]): string {
  return Math.max(...rates).toExponential(0);
}

function fixed(value: number): string {
  return value.toFixed(4);
}

function signed(value: number): string {
  return `${value < 0 ? '−' : ''}${fixed(Math.abs(value))}`;
}
