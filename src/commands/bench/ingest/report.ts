import type { Machine } from '../peers/machine.ts';
import type { IngestContender } from './contenders.ts';

/** One line of the comparison. */
export interface IngestRow extends Pick<IngestContender, 'title' | 'kind' | 'ours'> {
  /** Files a second: the median of the rounds. */
  per_second: number;
  bytes_per_file: number;
  versions: Record<string, string>;
}

/** How much faster ours is than the peer's first way, by what comes out. */
export interface IngestRatio {
  kind: IngestRow['kind'];
  ratio: number;
  reached: boolean;
}

/** So many times as fast as pydicom + Pillow it is meant to be. */
const GOAL = 4;
const NAMES = { png: '1024² PNG', cache: '512² cache', ingest: '512² cache' } as const;

/** Compares the harness with pydicom + Pillow as competitors use them. */
export function ratiosOfIngest(rows: readonly IngestRow[]): IngestRatio[] {
  return (['png', 'cache'] as const).map((kind) => {
    const [ours, theirs] = [true, false].map((own) => rows.find((row) => row.kind === kind && row.ours === own)!);
    const ratio = ours!.per_second / theirs!.per_second;
    return { kind, ratio, reached: ratio >= GOAL };
  });
}

/** The report in Markdown. */
export function ingestReport(
  head: { command: string; date: string; machine: Machine; files: number; rounds: number },
  rows: readonly IngestRow[],
): string {
  const { command, date, machine, files, rounds } = head;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const figures = rows.map(({ title, kind, per_second, bytes_per_file }) =>
    line([NAMES[kind], title, per_second.toFixed(1), (bytes_per_file / 1000).toFixed(0)]),
  );
  const ratios = ratiosOfIngest(rows).map(({ kind, ratio, reached }) =>
    line([NAMES[kind], ratio.toFixed(2), `at least ${GOAL}`, reached ? 'yes' : 'no']),
  );
  const versions = Object.assign({ node: process.versions.node }, ...rows.map((row) => row.versions));
  return `# How fast does a download go in?

\`${command}\`

${files} files of a phantom (JPEG Baseline, 1024², as the competition has them), read from the page cache, by 2 threads here and
2 processes there; ${rounds === 1 ? 'one round' : `the median of ${rounds} rounds`} in which all take their turn. Starting threads and processes counts. Ours
also compares every file with its SHA-256, and syncs the cache and takes its SHA-256; theirs does not.

| what comes out | by | files/s | kB a file |
| --- | --- | --- | --- |
${figures.join('\n')}

| ours / pydicom + Pillow | ratio | goal | reached |
| --- | --- | --- | --- |
${ratios.join('\n')}

PNG files of ours are packed with zlib's level 1 and those of Pillow with its own 6, as competitors call it; the line
with level 1 there shows what of the difference that is. For the cache both sides decode with
libjpeg and resize by Lanczos in compiled code on all cores, which is nearly all of their time.

- ${date}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}
- ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}
`;
}
