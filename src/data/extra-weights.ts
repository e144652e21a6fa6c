import { createRng } from '../core/random.ts';
import type { DatasetImage } from './dataset.ts';

type Weighted = Pick<DatasetImage, 'weight'>;

/**
 * The images that one epoch samples from: every own image once, and of the extra images of weight w each ⌊w⌋ times and
 * a random share w - ⌊w⌋ of them once more, drawn by seed and epoch. Their number is the same in every epoch.
 * @param indices the training images.
 */
export function weighImages(
  images: readonly Weighted[],
  indices: readonly number[],
  { seed, epoch }: { seed: number; epoch: number },
): number[] {
  const drawn = indices.filter((index) => images[index]!.weight === undefined);
  const rng = createRng(seed, 'extra', epoch);
  for (const [weight, of] of byWeight(images, indices)) {
    for (let times = 1; times <= weight; times++) drawn.push(...of);
    drawn.push(...rng.shuffle(of).slice(0, shareOf(weight, of.length)));
  }
  return drawn;
}

/** How many images `weighImages` gives. */
export function countWeighed(images: readonly Weighted[], indices: readonly number[]): number {
  let count = indices.filter((index) => images[index]!.weight === undefined).length;
  for (const [weight, of] of byWeight(images, indices)) {
    count += Math.floor(weight) * of.length + shareOf(weight, of.length);
  }
  return count;
}

function shareOf(weight: number, count: number): number {
  return Math.round((weight - Math.floor(weight)) * count);
}

/** The extra images by their weight, in order of first appearance. */
function byWeight(images: readonly Weighted[], indices: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const index of indices) {
    const { weight } = images[index]!;
    if (weight === undefined) continue;
    const group = groups.get(weight);
    if (group === undefined) groups.set(weight, [index]);
    else group.push(index);
  }
  return groups;
}
