import { sumOf } from '../../metrics/sum.ts';
import { diceOfEmpty, passes, type Setting, scoreMasks, type Tabulated } from './setting.ts';
import { ascending, type Grid, gateThresholds } from './space.ts';

/** How the mean Dice of all images changes around a setting, everything else as it is. Optimistic, as a picture may be. */
export interface Plateau {
  thresholds: number[];
  areas: number[];
  /** [thresholds][areas]. */
  dice: number[][];
  /** Over the gate's threshold, where there is a gate. */
  gate: { threshold: number; dice: number }[];
}

/** Looks around a setting, over the thresholds and areas of the grid and its own. */
export function lookAround(tabulated: Tabulated, setting: Setting, grid: Grid): Plateau {
  const thresholds = ascending([...grid.thresholds, setting.threshold]);
  const areas = ascending([...grid.areas, setting.min_component_area]);
  const passed = passes(tabulated, setting);
  const at = (threshold: number, area: number) =>
    meanDice(tabulated, scoreMasks(tabulated, { ...setting, threshold, min_component_area: area }), passed);
  const { gate } = setting;
  const cuts = gate === undefined ? [] : ascending([...gateThresholds(tabulated, gate.kind, grid), gate.threshold]);
  const scores = scoreMasks(tabulated, setting);
  return {
    thresholds,
    areas,
    dice: thresholds.map((threshold) => areas.map((area) => at(threshold, area))),
    gate: cuts.map((threshold) => {
      const moved = passes(tabulated, { ...setting, gate: { ...gate!, threshold } });
      return { threshold, dice: meanDice(tabulated, scores, moved) };
    }),
  };
}

function meanDice({ images }: Tabulated, scores: Float64Array, passed: Uint8Array): number {
  const dice = images.map((image, i) => (passed[i] === 1 ? scores[i]! : diceOfEmpty(image)));
  return sumOf(dice) / dice.length;
}
