import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { expected, messageOf, UserError } from '../core/errors.ts';
import { type Html, html } from '../pages/html.ts';
import { type Curve, lineChart } from '../pages/line-chart.ts';
import { card, sideBySide } from '../pages/page.ts';
import type { RunSummary } from '../tracking/runs.ts';

/** What a run keeps of its chosen checkpoint's other thresholds; null where there is nothing to divide by. */
const points = z.array(
  z.object({
    threshold: z.number(),
    dice: z.number().nullable(),
    dice_positive: z.number().nullable(),
    precision: z.number().nullable(),
    recall: z.number().nullable(),
  }),
);

/** Dice, and precision and recall of pixels, over thresholds; undefined where the run keeps none. Throws UserError where damaged. */
export async function thresholdCurves({ dir }: RunSummary): Promise<Html | undefined> {
  const path = join(dir, 'curves', 'thresholds.json');
  if (!existsSync(path)) return undefined;
  const read = await readPoints(path);
  const over = (name: string, key: keyof (typeof read)[number]): Curve => ({
    name,
    points: read.flatMap((point) => (point[key] === null ? [] : [{ x: point.threshold, y: point[key] }])),
  });
  const chart = async (heading: string, y: string, curves: readonly Curve[]) =>
    card(heading, await lineChart({ caption: heading, x: 'threshold', y, curves, whole: false }));
  return html`<p>Without post-processing, on the validation images that the threshold would be chosen on; <code>npm run tune</code> chooses it
cross-fitted.</p>${sideBySide(
    await chart('Dice by threshold', 'mean Dice', [over('all images', 'dice'), over('positives', 'dice_positive')]),
    await chart('Pixels by threshold', 'share', [over('precision', 'precision'), over('recall', 'recall')]),
  )}`;
}

async function readPoints(path: string): Promise<z.infer<typeof points>> {
  try {
    return points.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new UserError(expected('what other thresholds give', path, messageOf(error)), { cause: error });
  }
}
