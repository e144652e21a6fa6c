import type { Machine } from '../peers/machine.ts';
import { type IngestContender, REPEATS } from './contenders.ts';

/** One line of the comparison. */
export interface IngestRow extends Pick<IngestContender, 'title' | 'kind' | 'ours'> {
  /** Files a second: the median of the rounds. */
  per_second: number;
  bytes_per_file: number;
  /** Of a peer's cache from ours, in grey levels. */
  difference?: number;
  versions: Record<string, string>;
}

/** How many times as fast ours is as one of the peer's ways to the same thing. */
export interface IngestRatio {
  kind: IngestRow['kind'];
  /** The peer's title. */
  against: string;
  ratio: number;
  reached: boolean;
}

/** So many times as fast as pydicom + Pillow it is meant to be. */
const GOAL = 4;
const NAMES = { png: '1024² PNG', cache: '512² cache', ingest: '512² cache', decode: 'pixels at 1024²' } as const;

/** Compares the harness with each way in which pydicom + Pillow get there. */
export function ratiosOfIngest(rows: readonly IngestRow[]): IngestRatio[] {
  return rows
    .filter(({ ours, kind }) => !ours && kind !== 'decode')
    .map(({ kind, title: against, per_second }) => {
      const own = rows.find((row) => row.kind === kind && row.ours)!;
      const ratio = own.per_second / per_second;
      return { kind, against, ratio, reached: ratio >= GOAL };
    });
}

/** The report in Markdown. */
export function ingestReport(
  head: { command: string; date: string; machine: Machine; files: number; rounds: number },
  rows: readonly IngestRow[],
): string {
  const { command, date, machine, files, rounds } = head;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const figures = rows.map(({ title, kind, per_second, bytes_per_file, difference }) =>
    line([
      NAMES[kind],
      title,
      per_second.toFixed(1),
      (bytes_per_file / 1000).toFixed(0),
      difference === undefined ? '' : difference.toFixed(2),
    ]),
  );
  const ratios = ratiosOfIngest(rows).map(({ kind, against, ratio, reached }) =>
    line([NAMES[kind], against, ratio.toFixed(2), `at least ${GOAL}`, reached ? 'yes' : 'no']),
  );
  const versions = Object.assign({ node: process.versions.node }, ...rows.map((row) => row.versions));
  return `# How fast does a download go in?

\`${command}\`

${files} files of a phantom (JPEG Baseline, 1024², as the competition has them), read from the page cache, by 2 threads here and
2 processes there; ${rounds === 1 ? 'one round' : `the median of ${rounds} rounds`} in which all take their turn. Starting threads and processes counts. Ours
also compares every file with its SHA-256, and syncs the cache and takes its SHA-256; theirs does not.

| what comes out | by | files/s | kB a file | mean difference from ours, grey levels |
| --- | --- | --- | --- | --- |
${figures.join('\n')}

| ours / the peer's | peer | ratio | goal | reached |
| --- | --- | --- | --- | --- |
${ratios.join('\n')}

Competitors call Pillow's \`save\` with its own level 6 of zlib, and \`resize\` with Lanczos; the other two lines have it do
the same work as ours: level 1, and the mean of four pixels. The cache takes every file ${REPEATS} times, so that starting up counts
as little as it does with a real download. Both sides decode with libjpeg in compiled code on all cores.
${boundOf(rows)}

- ${date}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}
- ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}
`;
}

/** How far decoding alone is from the goal: nobody's shrinking and writing can make up for it. */
function boundOf(rows: readonly IngestRow[]): string {
  const cache = rows.find(({ kind, ours }) => kind === 'cache' && !ours);
  const decode = rows.find(({ kind }) => kind === 'decode');
  if (cache === undefined || decode === undefined) return '';
  const wanted = (GOAL * cache.per_second).toFixed(0);
  return (
    `${GOAL} times the first peer's cache would be ${wanted} files a second; libjpeg alone, without shrinking, hashing or ` +
    `writing anything, makes ${decode.per_second.toFixed(0)}.`
  );
}
