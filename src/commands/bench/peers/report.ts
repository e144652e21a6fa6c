import type { Row } from './figures.ts';
import type { Machine } from './machine.ts';
import { goalsOf, ratiosOf } from './ratios.ts';
import type { Workload } from './shared-start.ts';

export interface ReportHead {
  /** As typed. */
  command: string;
  /** YYYY-MM-DD. */
  date: string;
  machine: Machine;
  workload: Workload;
  steps: number;
  rounds: number;
}

/** The whole report in Markdown: figures, ratios, goals, and what they were measured on. */
export function reportOf(head: ReportHead, rows: readonly Row[]): string {
  const { model, resolution, batchSize } = head.workload;
  return `# ${model.encoder} U-Net at ${resolution}² × ${batchSize}, beside its peers

\`${head.command}\`

One training step (forward, backward, Adam, moving averages; binary cross-entropy + Dice; float32) and one prediction, on
the processor, from the same weights on the same batch. Each figure comes from a process of its own: ${head.rounds}
rounds, in each of which all take their turn, ${head.steps} timed steps after two that are not. Median of the rounds' medians, least
time of any step, highest peak of resident memory. A peer counts with as many trainable parameters and, to 1e-3, the same
first loss.

${figuresTable(rows)}
${reasons(rows)}
## Ratios

Ours over the peer's: below 1 is better for time and memory, above 1 for prediction.

${ratiosTable(rows)}

## Goals

${goalsTable(rows)}

## Measured on

${machineLines(head, rows)}
`;
}

function figuresTable(rows: readonly Row[]): string {
  const head = [
    '',
    'step, ms',
    'least, ms',
    'peak, GB',
    'images/s predicted',
    'peak predicting, GB',
    'first loss',
    'parameters',
  ];
  return markdown(
    head,
    rows.map(({ title, train, predict }) => [
      title,
      fixed(train?.median_ms, 0),
      fixed(train?.min_ms, 0),
      fixed(gigabytes(train?.peak_rss_bytes), 2),
      fixed(predict?.images_per_second, 1),
      fixed(gigabytes(predict?.peak_rss_bytes), 2),
      fixed(train?.first_loss, 6),
      train?.parameters.toLocaleString('en-US') ?? '–',
    ]),
  );
}

function reasons(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ title, why }) => (why === undefined ? [] : [`- ${title} does not count: ${why}.`]));
  return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`;
}

function ratiosTable(rows: readonly Row[]): string {
  const titleOf = (id: string) => rows.find((row) => row.id === id)!.title;
  const ratios = ratiosOf(rows).map(({ ours, peer, time, memory, prediction }) => [
    `${titleOf(ours)} / ${titleOf(peer)}`,
    fixed(time, 2),
    fixed(memory, 2),
    fixed(prediction, 2),
  ]);
  return markdown(['', 'step time', 'peak memory', 'images/s predicted'], ratios);
}

function goalsTable(rows: readonly Row[]): string {
  const words = (met?: boolean) => (met === undefined ? 'not known' : met ? 'yes' : 'no');
  const goals = goalsOf(rows).map(({ goal, limit, value, met }) => [goal, String(limit), fixed(value, 3), words(met)]);
  return markdown(['goal', '', 'measured', 'reached'], goals);
}

function machineLines({ date, machine }: ReportHead, rows: readonly Row[]): string {
  const versions = Object.assign({ node: process.versions.node }, ...rows.map(({ train }) => train?.versions ?? {}));
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `- ${date}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}`,
    `- ${named.join(', ')}`,
  ].join('\n');
}

function markdown(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function gigabytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1e9;
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? '–' : value.toFixed(digits);
}
