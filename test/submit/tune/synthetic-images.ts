import { emptyMask } from '../../../src/core/image.ts';
import type { Rng } from '../../../src/core/random.ts';
import { maskToRuns } from '../../../src/core/rle.ts';
import type { Average } from '../../../src/postprocess/mean-probability.ts';
import type { Tabulate } from '../../../src/submit/tune/cross-fit.ts';
import { type EvidenceKind, type ImageInput, tabulateImage } from '../../../src/submit/tune/tabulate-image.ts';
import { gather } from '../../../src/submit/tune/tabulate-images.ts';

/** A rectangle of one probability, over what was there. */
export interface Block {
  x: number;
  y: number;
  width: number;
  height: number;
  /** 0 to 255. */
  byte: number;
}

/** A map of probabilities out of rectangles on nothing. */
export function blocksMap(side: number, blocks: readonly Block[]): Uint8Array {
  const map = new Uint8Array(side * side);
  for (const { x, y, width, height, byte } of blocks) {
    for (let row = y; row < Math.min(side, y + height); row++)
      map.fill(byte, row * side + x, row * side + Math.min(side, x + width));
  }
  return map;
}

/** Runs of a rectangle. */
export function blockTruth(side: number, { x, y, width, height }: Omit<Block, 'byte'>): Int32Array {
  const mask = emptyMask(side);
  for (let row = y; row < y + height; row++) mask.data.fill(1, row * side + x, row * side + x + width);
  return maskToRuns(mask);
}

/** Rectangles and noise, so that masks have holes, islands, ties of area and every kind of overlap. */
export function randomInput(side: number, rng: Rng, members: number, presence: boolean): ImageInput {
  const block = () => ({
    x: rng.integer(0, side - 4),
    y: rng.integer(0, side - 4),
    width: rng.integer(2, side / 2),
    height: rng.integer(2, side / 2),
  });
  const member = () => {
    const map = blocksMap(
      side,
      Array.from({ length: rng.integer(0, 6) }, () => ({ ...block(), byte: rng.integer(0, 255) })),
    );
    for (let i = 0; i < side; i++) map[rng.integer(0, map.length - 1)] = rng.integer(0, 255);
    return { probabilities: map, resolution: side, weight: 1, presence: presence ? rng.uniform() : undefined };
  };
  const { x, y, width, height } = block();
  const inside = { x, y, width: Math.min(width, side - x), height: Math.min(height, side - y) };
  return {
    members: Array.from({ length: members }, member),
    gate: undefined,
    truth: rng.chance(0.6) ? blockTruth(side, inside) : new Int32Array(0),
  };
}

/** Tabulates images that are in memory. */
export function tabulateInputs(
  inputs: readonly ImageInput[],
  kinds: readonly EvidenceKind[],
  size: number,
  average: Average = 'probabilities',
): Tabulate {
  return async (weights, thresholds) => {
    const job = { weights, thresholds, evidence: kinds, size, average };
    return gather(
      inputs.map((input) => tabulateImage(input, job)),
      job,
    );
  };
}
