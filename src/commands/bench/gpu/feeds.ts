import { askChild } from '../../../core/child.ts';
import { messageOf } from '../../../core/errors.ts';
import type { FeedAnswer, FeedQuestion } from './feed-child.ts';
import type { FeedRow, Precision } from './figures.ts';
import type { Size } from './plan.ts';
import { nameReason } from './processes.ts';
import { rowTitle, type Setting, stepKeysOf } from './setting.ts';

/** A step that the loader feeds, in a process of its own; one that fails is a row that says why. */
export async function measureFeed(setting: Setting, size: Size, precision: Precision): Promise<FeedRow> {
  const { device, plan, cacheDir, feedSeconds, watch, signal, terminal } = setting;
  const row = { size, precision, recompute: false };
  const keys = stepKeysOf(setting, row);
  const question: FeedQuestion = { device, keys, seconds: feedSeconds, steps: plan.steps, cacheDir };
  try {
    const module = new URL('./feed-child.ts', import.meta.url);
    const fed = await askChild<FeedAnswer>(module, question, { signal, terminal });
    const { images_per_second, wait_fraction, steps, native_kernels } = fed;
    terminal.say(`${rowTitle(row)}, fed by the loader: ${images_per_second.toFixed(1)} images/s`);
    const figures = { images_per_second, wait_fraction, steps, native_kernels, device: fed.device };
    // Not its memory: what it held before the part that is measured does not count there.
    const { idle, looks } = watch.use(fed.pid, fed.from, fed.to);
    const gpu = { looks, ...(idle === undefined ? {} : { idle }) };
    return { size, precision, figures, gpu, ...(fed.device === device ? {} : { why: `it ran on the ${fed.device}` }) };
  } catch (error) {
    signal.throwIfAborted();
    const why = nameReason(messageOf(error));
    terminal.say(`${rowTitle(row)}, fed by the loader: ${why}`);
    return { size, precision, gpu: { looks: 0 }, why };
  }
}
