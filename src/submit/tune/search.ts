import type { Tabulated } from './setting.ts';
import { diceOfEmpty, type MaskSetting, type PassSetting, passes, type Setting, scoreMasks } from './setting.ts';

/** The settings that are looked at; of equally good ones the first counts, so the plainest come first. */
export interface Space {
  masks: readonly MaskSetting[];
  triplets: readonly PassSetting['triplet'][];
  /** Of each kind of evidence that is looked at, thresholds. */
  gates: readonly { kind: number; thresholds: readonly number[] }[];
}

export interface Found {
  setting: Setting;
  /** The mean Dice of the images that were searched on. */
  mean: number;
}

/** A space with what its settings come to on every image, so that many parts of the images can be searched. */
export interface PreparedSpace {
  space: Space;
  /** Of each mask setting, Dice of every image. */
  dice: readonly Float64Array[];
  /** Of each triplet, which images pass. */
  tripletPasses: readonly Uint8Array[];
  /** Of each kind of evidence looked at, the images by it, most first, and how many of them reach each threshold. */
  gateOrders: readonly { order: Int32Array; reach: Int32Array }[];
  empty: Float64Array;
}

/** Less is rounding. */
const EPSILON = 1e-12;

/** Computes what the settings of a space come to, once. */
export function prepareSpace(
  tabulated: Tabulated,
  space: Space,
  score = (setting: MaskSetting) => scoreMasks(tabulated, setting),
): PreparedSpace {
  return {
    space,
    dice: space.masks.map(score),
    tripletPasses: space.triplets.map((triplet) => passes(tabulated, { triplet })),
    gateOrders: space.gates.map(({ kind, thresholds }) => {
      const values = tabulated.evidence[kind]!;
      const order = Int32Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!);
      const reach = Int32Array.from(thresholds, (threshold) => countAtLeast(values, order, threshold));
      return { order, reach };
    }),
    empty: Float64Array.from(tabulated.images, diceOfEmpty),
  };
}

/**
 * The best setting on some of the images: masks and passes in turn, each over all of theirs, until neither gains. It begins
 * once from the best mask without a gate of every threshold, since a low threshold pays only where a gate is strict.
 * @param held 1 for images to search on
 */
export function searchBest(prepared: PreparedSpace, held: Uint8Array): Found {
  const { masks, triplets, gates } = prepared.space;
  const all = new Uint8Array(held.length).fill(1);
  const thresholds = [...new Set(masks.map(({ threshold }) => threshold))];
  const hasPasses = gates.length > 0 || triplets.length > 1;
  const starts = hasPasses ? thresholds : [undefined];
  let best: Found | undefined;
  for (const start of starts) {
    let mask = bestMask(prepared, held, all, start);
    let pass: BestPass = { setting: {}, passed: all, mean: mask.mean };
    for (let mean = Number.NEGATIVE_INFINITY; hasPasses && mask.mean > mean + EPSILON; ) {
      mean = mask.mean;
      pass = bestPass(prepared, held, mask.place);
      mask = bestMask(prepared, held, pass.passed);
    }
    if (best === undefined || mask.mean > best.mean + EPSILON) {
      best = { setting: { ...masks[mask.place]!, ...pass.setting }, mean: mask.mean };
    }
  }
  return best!;
}

interface BestMask {
  place: number;
  mean: number;
}

function bestMask(
  { space, dice, empty }: PreparedSpace,
  held: Uint8Array,
  passed: Uint8Array,
  threshold?: number,
): BestMask {
  const images = Int32Array.from(held.keys()).filter((i) => held[i] === 1);
  const kept = images.filter((i) => passed[i] === 1);
  const others = images.reduce((sum, i) => (passed[i] === 1 ? sum : sum + empty[i]!), 0);
  let best: BestMask = { place: -1, mean: Number.NEGATIVE_INFINITY };
  for (const [place, scores] of dice.entries()) {
    if (threshold !== undefined && space.masks[place]!.threshold !== threshold) continue;
    let sum = others;
    for (let i = 0; i < kept.length; i++) sum += scores[kept[i]!]!;
    const mean = sum / images.length;
    if (mean > best.mean + EPSILON) best = { place, mean };
  }
  return best;
}

interface BestPass {
  setting: PassSetting;
  passed: Uint8Array;
  mean: number;
}

function bestPass(prepared: PreparedSpace, held: Uint8Array, mask: number): BestPass {
  const { space, dice, tripletPasses, gateOrders, empty } = prepared;
  const scores = dice[mask]!;
  let images = 0;
  let base = 0;
  for (let i = 0; i < held.length; i++) {
    if (held[i] === 0) continue;
    images++;
    base += empty[i]!;
  }
  let best = { setting: {} as PassSetting, sum: Number.NEGATIVE_INFINITY };
  const offer = (setting: PassSetting, sum: number) => {
    if (sum > best.sum + EPSILON * images) best = { setting, sum };
  };
  for (const [place, triplet] of space.triplets.entries()) {
    const passed = tripletPasses[place]!;
    const gains = scores.map((score, i) => (held[i] === 1 && passed[i] === 1 ? score - empty[i]! : 0));
    offer({ triplet }, base + gains.reduce((sum, gain) => sum + gain, 0));
    for (const [at, { kind, thresholds }] of space.gates.entries()) {
      const { order, reach } = gateOrders[at]!;
      const sums = new Float64Array(order.length + 1);
      for (let i = 0; i < order.length; i++) sums[i + 1] = sums[i]! + gains[order[i]!]!;
      for (const [step, threshold] of thresholds.entries()) {
        offer({ triplet, gate: { kind, threshold } }, base + sums[reach[step]!]!);
      }
    }
  }
  const { setting, sum } = best;
  return { setting, passed: passedBy(prepared, setting), mean: sum / images };
}

function passedBy({ space, tripletPasses, gateOrders }: PreparedSpace, { triplet, gate }: PassSetting): Uint8Array {
  const passed = tripletPasses[space.triplets.indexOf(triplet)]!.slice();
  if (gate === undefined) return passed;
  const at = space.gates.findIndex(({ kind }) => kind === gate.kind);
  const { order, reach } = gateOrders[at]!;
  for (const image of order.subarray(reach[space.gates[at]!.thresholds.indexOf(gate.threshold)]!)) passed[image] = 0;
  return passed;
}

function countAtLeast(values: Float64Array, order: Int32Array, threshold: number): number {
  let [low, high] = [0, order.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[order[middle]!]! >= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}
