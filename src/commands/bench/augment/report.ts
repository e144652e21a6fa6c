import type { Machine } from '../peers/machine.ts';
import { SIDE } from './comparisons.ts';

/** One line of the comparison: images per second of one core's time, over all turns. */
export interface AugmentRow {
  title: string;
  goal: boolean;
  ours: number;
  theirs: number;
}

/** Such a share of albumentations' images the list is meant to give at least. */
const GOAL = 0.5;

/** Ours over theirs. */
export function ratioOf({ ours, theirs }: AugmentRow): number {
  return ours / theirs;
}

/** Whether every line that the goal is about reaches it. */
export function isReached(rows: readonly AugmentRow[]): boolean {
  return rows.every((row) => !row.goal || ratioOf(row) >= GOAL);
}

/** The report in Markdown. */
export function augmentReport(
  head: { command: string; date: string; machine: Machine; rounds: number; seconds: number; versions: object },
  rows: readonly AugmentRow[],
): string {
  const { command, date, machine, rounds, seconds, versions } = head;
  const number = (rate: number) => (rate < 100 ? rate.toFixed(1) : rate.toFixed(0));
  const lines = rows.map((row) => {
    const goal = row.goal ? (ratioOf(row) >= GOAL ? 'reached' : 'missed') : '';
    return `| ${row.title} | ${number(row.ours)} | ${number(row.theirs)} | ${ratioOf(row).toFixed(2)} | ${goal} |`;
  });
  const lowest = Math.min(...rows.filter(({ goal }) => goal).map(ratioOf));
  return `# How fast is augmentation?

\`${command}\`

Images per second of one core's time: grey images of ${SIDE}², image and mask together, in one thread on both sides, at equal
parameters. Both take turns of ${seconds} ${seconds === 1 ? 'second' : 'seconds'}, ${rounds} for each step and ten times as many for the list, after one that is not counted. The
time is that of the process, not of the clock, so what else the machine does counts little.

| | the harness | albumentations | ratio | goal: at least ${GOAL} |
| --- | --- | --- | --- | --- |
${lines.join('\n')}

**The list** is that of the competition's kernels, which the report trained with: a horizontal flip (0.5); one of contrast, gamma and
brightness (0.3); one of elastic transform (alpha 120, sigma 6, affine 3.6), grid distortion and optical distortion (distort_limit 2,
shift_limit 0.5) (0.3); shift-scale-rotate (0.5). The steps below it are alone and certain. Masks are as many and as large as in the
competition (22 % of the images) but for the second line. The harness gives at least **${lowest.toFixed(2)} times** albumentations' images
per second and core (goal: at least ${GOAL}, ${isReached(rows) ? 'reached' : 'missed'}).

What differs: OpenCV is compiled, with vector instructions, and takes places to a 32nd of a pixel; ours is JavaScript and takes them
to a 2,048th. Ours passes over empty masks. Of the elastic transform the affine part, and of the optical one the shift, are no longer
in albumentations 2; ours does both. Its elastic noise is drawn and smoothed at every pixel, ours at every fourth, as good for what is
so smooth. Ours includes copying the sample and starting its random numbers, as in the loader; theirs includes making new arrays.

- ${date}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}
- ${Object.entries({ node: process.versions.node, ...versions })
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}
`;
}
