import { medianOf } from '../peers/figures.ts';
import type { Machine } from '../peers/machine.ts';
import type { WayMeasure } from './measure.ts';
import { WAYS, type Way } from './ways.ts';

/** A server that behaves badly may cost training so much of its speed. */
const GOAL = 0.02;

/** A run in front of a server, and the run in front of a healthy one just before or just after it. */
export interface WayPair {
  own: WayMeasure;
  healthy: WayMeasure;
}

/** Medians over the rounds; `share` of the speed in front of the healthy server beside it. Of points, the most of any round. */
export interface WayResult extends WayMeasure {
  name: string;
  what: string;
  share: number;
}

/** All rounds together, the healthy server first; a round has a pair for each of the others, in the order of WAYS. */
export function summariseWays(rounds: readonly (readonly WayPair[])[]): WayResult[] {
  const [healthy, ...others] = WAYS;
  const beside = rounds.flatMap((round) => round.map((pair) => ({ own: pair.healthy, healthy: pair.healthy })));
  return [
    summarise(healthy!, beside),
    ...others.map((way, index) =>
      summarise(
        way,
        rounds.map((round) => round[index]!),
      ),
    ),
  ];
}

function summarise({ name, what }: Way, pairs: readonly WayPair[]): WayResult {
  const most = (key: 'points' | 'waiting' | 'lost') => Math.max(...pairs.map(({ own }) => own[key]));
  return {
    ...{ name, what, points: most('points'), waiting: most('waiting'), lost: most('lost') },
    images_per_second: medianOf(pairs.map(({ own }) => own.images_per_second)),
    share: medianOf(pairs.map(({ own, healthy }) => own.images_per_second / healthy.images_per_second)),
  };
}

/** How far the healthy runs lie from one another, as a share of their median: differences below it say little. */
export function spreadOf(rounds: readonly (readonly WayPair[])[]): number {
  const speeds = rounds.flat().map(({ healthy }) => healthy.images_per_second);
  return (Math.max(...speeds) - Math.min(...speeds)) / medianOf(speeds);
}

/** Whether no server cost more than is allowed, and nothing was lost. */
export function isReached(results: readonly WayResult[]): boolean {
  return results.every(({ share, lost }) => share >= 1 - GOAL && lost === 0);
}

/** The report in Markdown. */
export function trackingReport(
  head: { command: string; date: string; machine: Machine; rounds: number; spread: number },
  results: readonly WayResult[],
): string {
  const { command, date, machine, rounds, spread } = head;
  const row = ({ name, what, images_per_second: speed, share, points, waiting, lost }: WayResult) =>
    `| ${name} | ${what} | ${speed.toFixed(2)} | ${(100 * (share - 1)).toFixed(1)} % | ${points} | ${waiting} | ${lost} |`;
  return `# What does a bad tracking server cost?

\`${command}\`

A U-Net with EfficientNet-B0 learns at 128² in front of a server of each kind in turn, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}. Images per second are the
median over its epochs but the first. Each run has one in front of a healthy server just before or, every other round, just after it; the
difference is the median over rounds of the speed against that one's. The healthy runs lie within ${(100 * spread).toFixed(1)} % of one another.
"Waiting" are the metric points that were not there when the command ended, "lost" those that a \`sync\` did not bring afterwards.

| server | which | images/s | difference | points | waiting | lost |
| --- | --- | --- | --- | --- | --- | --- |
${results.map(row).join('\n')}

Goal: no more than ${(100 * GOAL).toFixed(0)} % slower in front of any, and nothing lost: **${isReached(results) ? 'reached' : 'missed'}**.

- ${date}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}
- node ${process.versions.node}
`;
}
