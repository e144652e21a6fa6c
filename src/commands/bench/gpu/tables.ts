import { fixed, gigabytes, table } from './cells.ts';
import { type FeedRow, imagesPerSecond, type StepRow } from './figures.ts';
import { titleOf } from './plan.ts';

const TITLES = { harness: 'this harness', pytorch: 'PyTorch', 'pytorch-channels-last': 'PyTorch, channels last' };

/** Time, memory and first loss of every step. */
export function stepTable(steps: readonly StepRow[]): string {
  const head = ['', 'size', 'precision', 'step, ms', 'least, ms', 'images/s', 'GPU, GB', 'host, GB', 'first loss'];
  return table(head, steps.map(stepCells));
}

function stepCells(row: StepRow): string[] {
  const { by, recompute, size, precision, figures, gpu, why } = row;
  const start = [`${TITLES[by]}${recompute ? ', recomputed' : ''}`, titleOf(size), precision];
  if (why !== undefined) return [...start, why, ...new Array(5).fill('–')];
  return [
    ...start,
    fixed(figures?.median_ms, 1),
    fixed(figures?.min_ms, 1),
    fixed(imagesPerSecond(row), 1),
    gigabytes(gpu.peak_bytes),
    gigabytes(figures?.peak_rss_bytes),
    fixed(figures?.first_loss, 5),
  ];
}

/** Our time over PyTorch's, a line for each of its rows. */
export function ratioLines(steps: readonly StepRow[]): string {
  const lines = steps.flatMap((row) => {
    const own = steps.find(({ by, recompute, size, precision }) => {
      return by === 'harness' && !recompute && size === row.size && precision === row.precision;
    });
    if (row.by === 'harness' || row.why !== undefined || own?.figures === undefined || own.why !== undefined) return [];
    const ratio = own.figures.median_ms / row.figures!.median_ms;
    return [`- ${titleOf(row.size)}, ${row.precision}: ${ratio.toFixed(2)} of the time of ${TITLES[row.by]}`];
  });
  return lines.join('\n');
}

/** How steps ran that the loader fed. */
export function feedTable(feeds: readonly FeedRow[]): string {
  const percent = (share?: number) => (share === undefined ? '–' : `${(100 * share).toFixed(1)} %`);
  const rows = feeds.map(({ size, precision, figures, gpu, why }) => {
    const start = [titleOf(size), precision];
    if (why !== undefined) return [...start, why, '–', '–', '–'];
    const { images_per_second: rate, wait_fraction: waiting } = figures!;
    return [...start, fixed(rate, 1), percent(gpu.idle), percent(waiting), String(gpu.looks)];
  });
  return table(['size', 'precision', 'images/s', 'idle', 'waiting', 'looks'], rows);
}
