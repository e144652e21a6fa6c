import type { GateConfig } from '../../postprocess/gate.ts';
import type { PostprocessConfig } from '../../postprocess/index.ts';
import type { Average } from '../../postprocess/mean-probability.ts';
import { areaOfTable, countKept, diceOfTable, type MaskTables } from './mask-tables.ts';
import type { EvidenceKind } from './tabulate-image.ts';

/** What makes a mask, once an image passes. */
export type MaskSetting = Pick<
  PostprocessConfig,
  'threshold' | 'fill_holes' | 'min_component_area' | 'largest_components'
>;

/** Which images pass. */
export interface PassSetting {
  triplet?: { score: number; area: number } | undefined;
  /** `kind` is a place in the tabulated evidence. */
  gate?: { kind: number; threshold: number } | undefined;
}

export type Setting = MaskSetting & PassSetting;

/** All images at one average of the members. */
export interface Tabulated {
  /** Ascending; those that `images` have tables of. */
  thresholds: readonly number[];
  images: readonly MaskTables[];
  kinds: readonly EvidenceKind[];
  /** Of each kind, a number for each image. */
  evidence: readonly Float64Array[];
}

/** The table of a threshold. Throws RangeError where it was not tabulated. */
export function tableOf({ thresholds }: Tabulated, threshold: number, fills: boolean): number {
  const place = thresholds.indexOf(threshold);
  if (place < 0) throw new RangeError(`No table was made at the threshold ${threshold}.`);
  return 2 * place + (fills ? 1 : 0);
}

/** Dice of every image, in [0, 1], as if its pixels were post-processed. */
export function scoreMasks(tabulated: Tabulated, setting: MaskSetting): Float64Array {
  const table = tableOf(tabulated, setting.threshold, setting.fill_holes);
  return Float64Array.from(tabulated.images, (image) => diceOfTable(image, table, setting));
}

/** Whether each image passes: 1 or 0. */
export function passes(tabulated: Tabulated, { triplet, gate }: PassSetting): Uint8Array {
  const { images, evidence } = tabulated;
  const passed = new Uint8Array(images.length).fill(1);
  const table = triplet && tableOf(tabulated, triplet.score, false);
  for (let i = 0; i < passed.length; i++) {
    if (triplet !== undefined && areaOfTable(images[i]!, table!) <= triplet.area) passed[i] = 0;
    if (gate !== undefined && evidence[gate.kind]![i]! < gate.threshold) passed[i] = 0;
  }
  return passed;
}

/** Dice of an image that is predicted empty. */
export function diceOfEmpty({ truthArea }: MaskTables): number {
  return truthArea === 0 ? 1 : 0;
}

/** What a setting comes to on every image. */
export interface SettingScores {
  dice: Float64Array;
  /** Without gate and triplet. */
  ungated: Float64Array;
  /** Whether a mask is predicted: 1 or 0. */
  predicted: Uint8Array;
}

/** Scores all images at a setting. */
export function scoreSetting(tabulated: Tabulated, setting: Setting): SettingScores {
  const ungated = scoreMasks(tabulated, setting);
  const passed = passes(tabulated, setting);
  const table = tableOf(tabulated, setting.threshold, setting.fill_holes);
  const { images } = tabulated;
  return {
    dice: ungated.map((dice, i) => (passed[i] === 1 ? dice : diceOfEmpty(images[i]!))),
    ungated,
    predicted: passed.map((pass, i) => (pass === 1 && countKept(images[i]!, table, setting) > 0 ? 1 : 0)),
  };
}

/** A setting of an average of members as a submission's `postprocess` has it. */
export function toPostprocess(
  setting: Setting,
  kinds: readonly EvidenceKind[],
  average: Average = 'probabilities',
): PostprocessConfig {
  const { gate, triplet, threshold, fill_holes, min_component_area, largest_components } = setting;
  const gateConfig: GateConfig | undefined = gate && { ...kinds[gate.kind]!, threshold: gate.threshold };
  return {
    average,
    ...(gateConfig === undefined ? {} : { gate: gateConfig }),
    ...(triplet === undefined ? {} : { triplet }),
    ...{ threshold, fill_holes, min_component_area },
    ...(largest_components === undefined ? {} : { largest_components }),
  };
}
