import { medianOf } from '../peers/figures.ts';
import type { Machine } from '../peers/machine.ts';
import type { WayMeasure } from './measure.ts';
import { WAYS } from './ways.ts';

/** A server that behaves badly may cost training so much of its speed. */
const GOAL = 0.02;

/** The median over the rounds of each way's speed as a share of the healthy server's in the same round, and what was lost in all. */
export interface WayResult extends WayMeasure {
  name: string;
  what: string;
  share: number;
}

/** All rounds together; a round has each way's measure in the order of WAYS. */
export function summariseWays(rounds: readonly (readonly WayMeasure[])[]): WayResult[] {
  return WAYS.map(({ name, what }, index) => {
    const own = rounds.map((round) => round[index]!);
    const most = (key: 'points' | 'waiting' | 'lost') => Math.max(...own.map((measure) => measure[key]));
    return {
      name,
      what,
      images_per_second: medianOf(own.map((measure) => measure.images_per_second)),
      share: medianOf(rounds.map((round) => round[index]!.images_per_second / round[0]!.images_per_second)),
      points: most('points'),
      waiting: most('waiting'),
      lost: most('lost'),
    };
  });
}

/** Whether no server cost more than is allowed, and nothing was lost. */
export function isReached(results: readonly WayResult[]): boolean {
  return results.every(({ share, lost }) => share >= 1 - GOAL && lost === 0);
}

/** The report in Markdown. */
export function trackingReport(
  head: { command: string; date: string; machine: Machine; rounds: number },
  results: readonly WayResult[],
): string {
  const { command, date, machine, rounds } = head;
  const row = ({ name, what, images_per_second: speed, share, points, waiting, lost }: WayResult) =>
    `| ${name} | ${what} | ${speed.toFixed(2)} | ${(100 * (share - 1)).toFixed(1)} % | ${points} | ${waiting} | ${lost} |`;
  return `# What does a bad tracking server cost?

\`${command}\`

A U-Net with EfficientNet-B0 learns at 128² in front of a server of each kind in turn, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}. Images per second are the
median over its epochs but the first; the difference is the median over rounds of the speed against the healthy server's in the same round.
"Waiting" are the metric points that were not there when the command ended, "lost" those that a \`sync\` did not bring afterwards.

| server | which | images/s | difference | points | waiting | lost |
| --- | --- | --- | --- | --- | --- | --- |
${results.map(row).join('\n')}

Goal: no more than ${(100 * GOAL).toFixed(0)} % slower in front of any, and nothing lost: **${isReached(results) ? 'reached' : 'missed'}**.

- ${date}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}
- node ${process.versions.node}
`;
}
