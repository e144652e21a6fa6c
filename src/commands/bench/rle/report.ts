import type { Machine } from '../peers/machine.ts';
import type { PythonRle, RleMeasure } from './measure.ts';

/** All that was measured in a round. */
export interface RleFigures extends PythonRle {
  pixels: RleMeasure;
  runs: RleMeasure;
}

/** So many times as fast as Python with numpy, row by row, it is meant to be. */
const GOAL = 10;
const KEYS = ['pixels', 'runs', 'numpy', 'loop'] as const;

/** Of each figure the median of the rounds; the rounds differ in nothing but time. */
export function median(rounds: readonly RleFigures[]): RleFigures {
  const middle = { ...rounds[0]! };
  for (const key of KEYS) {
    const seconds = rounds.map((round) => round[key].seconds).sort((a, b) => a - b);
    middle[key] = { ...middle[key], seconds: seconds[Math.floor(seconds.length / 2)]! };
  }
  return middle;
}

/** How many times as fast the harness is, both by way of pixels. */
export function ratioOfRle({ pixels, numpy }: RleFigures): number {
  return numpy.seconds / pixels.seconds;
}

/** The report in Markdown. */
export function rleReport(
  head: { command: string; date: string; machine: Machine; masks: number; rounds: number },
  figures: RleFigures,
): string {
  const { command, date, machine, masks, rounds } = head;
  const ratio = ratioOfRle(figures);
  const row = (title: string, { rows, seconds, changed }: RleMeasure) =>
    `| ${title} | ${rows} | ${seconds.toFixed(2)} | ${((seconds / rows) * 1e6).toFixed(0)} | ${changed} |`;
  return `# How fast are run-length codes?

\`${command}\`

Every row of the competition's real label file (${figures.pixels.rows} rows, ${masks} of them masks) is decoded to a mask of 1024² pixels
and encoded again, in one thread; ${rounds === 1 ? 'one round' : `the median of ${rounds} rounds`}. "Changed" are codes that did not come back as they were.

| | rows | seconds | µs a row | changed |
| --- | --- | --- | --- | --- |
${row('the harness, through pixels', figures.pixels)}
${row('the harness, as runs (what it does where no pixel is asked for)', figures.runs)}
${row('Python with numpy, row by row', figures.numpy)}
${row('the pixel-by-pixel encoder that went round on Kaggle, some masks', figures.loop)}

Ours draws every mask into the same memory, as the loader does; numpy takes new memory for each, as competitors' functions do.
Through pixels the harness is **${ratio.toFixed(1)} times** as fast as Python with numpy (goal: at least ${GOAL}, ${ratio >= GOAL ? 'reached' : 'missed'}).

- ${date}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}
- node ${process.versions.node}, numpy ${figures.version}
`;
}
