import { type AugmentConfig, augment } from '../../src/augment/index.ts';
import type { Sample } from '../../src/augment/sample.ts';
import { createRng } from '../../src/core/random.ts';

/** Grey levels of a disc and of what is around it; no step with its own defaults brings one past their middle. */
export const DISC = 215;
export const GROUND = 40;
export const MIDDLE = (DISC + GROUND) / 2;

export interface Circle {
  x: number;
  y: number;
  radius: number;
}

/** A disc off the middle, that no step with its own defaults moves out of the image. */
export function circleIn(size: number): Circle {
  return { x: 0.44 * size, y: 0.53 * size, radius: 0.3 * size };
}

/** 1 where a pixel's centre is in the circle. */
export function fillCircle(size: number, { x, y, radius }: Circle): Uint8Array {
  return Uint8Array.from({ length: size * size }, (_, i) =>
    Math.hypot((i % size) - x, Math.floor(i / size) - y) <= radius ? 1 : 0,
  );
}

/** A disc in the image, and the same disc as the mask. */
export function discSample(size: number, circle = circleIn(size)): Sample {
  const mask = fillCircle(size, circle);
  return { size, image: mask.map((inside) => (inside === 1 ? DISC : GROUND)), mask };
}

/** Of two masks the pixels in both over those in either. */
export function iou(a: Uint8Array, b: Uint8Array): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    both += a[i]! & b[i]!;
    either += a[i]! | b[i]!;
  }
  return both / either;
}

/** The sample after one step with a seed of its own. */
export function apply(step: AugmentConfig, sample: Sample, seed = 1): Sample {
  augment([step], sample, createRng(seed, 'a'));
  return sample;
}

/** An image that says where its pixels are from: `slope` grey levels more for each pixel to the right, or downwards. */
export function rampSample(size: number, slope: number, direction: 'right' | 'down' = 'right'): Sample {
  const at = (i: number) => (direction === 'right' ? i % size : Math.floor(i / size));
  const image = Uint8Array.from({ length: size * size }, (_, i) => slope * at(i));
  return { size, image, mask: new Uint8Array(size * size) };
}

export const copyOf = ({ size, image, mask }: Sample): Sample => ({ size, image: image.slice(), mask: mask.slice() });
