import { areaOfRuns, type Runs } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';
import type { LabelledMasks } from '../predict/probability-source.ts';

/** How many standard errors of a share are beyond chance. */
const STANDARD_ERRORS = 3;
/** A share of positives outside of these times the labelled images' is far from it. */
const FAR = { least: 0.5, most: 1.5 };

/** Says how many masks there are and how large, beside those of the labelled images; warns where the share is far from theirs. */
export function sayAreas(masks: readonly Runs[], labelled: LabelledMasks, terminal: Terminal): void {
  const own: LabelledMasks = { images: masks.length, areas: ascendingAreas(masks) };
  terminal.say(`masks of     ${describe('the submission', own)}`);
  if (labelled.images === 0) return;
  terminal.say(`             ${describe('the labelled images', labelled)}`);
  const warning = farShare(own, labelled);
  if (warning !== undefined) terminal.warn(warning);
}

/** Areas of the masks that are not empty, in pixels at MASK_SIZE², ascending. */
export function ascendingAreas(masks: readonly Runs[]): number[] {
  return masks
    .map(areaOfRuns)
    .filter((area) => area > 0)
    .sort((a, b) => a - b);
}

/** A sentence where far more or fewer images have a mask than of the labelled ones, beyond chance; undefined otherwise. */
export function farShare(own: LabelledMasks, labelled: LabelledMasks): string | undefined {
  const [share, usual] = [shareOf(own), shareOf(labelled)];
  const error = Math.sqrt((usual * (1 - usual)) / own.images);
  const isFar = share < FAR.least * usual || share > FAR.most * usual;
  if (!isFar || Math.abs(share - usual) <= STANDARD_ERRORS * error) return undefined;
  return (
    `${percent(share)} of the images have a mask, of the labelled ones ${percent(usual)}. Are threshold, gate and component size ` +
    'those that were meant?'
  );
}

function shareOf({ areas, images }: LabelledMasks): number {
  return areas.length / images;
}

function describe(what: string, own: LabelledMasks): string {
  const { areas, images } = own;
  const at = (quantile: number) => areas[Math.round(quantile * (areas.length - 1))];
  const sizes = areas.length === 0 ? '' : `; pixels: 5 % below ${at(0.05)}, median ${at(0.5)}, 95 % below ${at(0.95)}`;
  return `${what}: ${areas.length} of ${images} (${percent(shareOf(own))})${sizes}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
