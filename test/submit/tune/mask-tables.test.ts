import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../../src/core/random.ts';
import { maskToRuns } from '../../../src/core/rle.ts';
import { diceOfRuns } from '../../../src/metrics/dice.ts';
import { predictMask } from '../../../src/postprocess/index.ts';
import { type Average, averageConfig } from '../../../src/postprocess/mean-probability.ts';
import type { Tabulate } from '../../../src/submit/tune/cross-fit.ts';
import { type Setting, scoreSetting, toPostprocess } from '../../../src/submit/tune/setting.ts';
import { weightKey } from '../../../src/submit/tune/weights.ts';
import { randomInput, tabulateInputs } from './synthetic-images.ts';

const SIZE = 48;
const THRESHOLDS = [0.2, 0.35, 0.5, 0.65, 0.8];

test('100 random settings score as their pixels do, to 1e-12', async () => {
  const rng = createRng(7, 'brute force');
  const inputs = Array.from({ length: 40 }, () => randomInput(24, rng, 2, true));
  const kinds = [
    { statistic: 'presence' as const },
    { statistic: 'max' as const },
    { statistic: 'top_mean' as const, pixels: 60 },
    { statistic: 'sum' as const, above: 0.3 },
  ];
  const weights = [
    [1, 1],
    [1, 3],
  ];
  const combinations = averageConfig.unwrap().options;
  const tabulatedBy = new Map<Average, Awaited<ReturnType<Tabulate>>>();
  for (const each of combinations) {
    tabulatedBy.set(each, await tabulateInputs(inputs, kinds, SIZE, each)(weights, THRESHOLDS));
  }
  const pick = <T>(values: readonly T[]) => values[rng.integer(0, values.length - 1)]!;
  let gated = 0;
  const seen = new Set<string>();
  for (let round = 0; round < 100; round++) {
    const average = pick(weights);
    const combination = pick(combinations);
    const images = tabulatedBy.get(combination)!.get(weightKey(average))!;
    const kind = rng.integer(0, kinds.length - 1);
    const setting: Setting = {
      threshold: pick(THRESHOLDS),
      fill_holes: rng.chance(0.5),
      min_component_area: pick([0, 1, 8, 30, 90]),
      ...(rng.chance(0.5) ? { largest_components: rng.integer(1, 4) } : {}),
      ...(rng.chance(0.5) ? { triplet: { score: pick(THRESHOLDS), area: pick([0, 20, 200]) } } : {}),
      // At an image's own evidence: it passes.
      ...(rng.chance(0.7) ? { gate: { kind, threshold: pick([...images.evidence[kind]!]) } } : {}),
    };
    const { dice, predicted, ungated } = scoreSetting(images, setting);
    const config = toPostprocess(setting, kinds, combination);
    for (const [place, { members, truth }] of inputs.entries()) {
      const weighted = members.map((member, i) => ({ ...member!, weight: average[i]! }));
      const runs = maskToRuns(predictMask(weighted, config, weighted, SIZE));
      const expected = diceOfRuns(runs, truth);
      assert.ok(Math.abs(dice[place]! - expected) < 1e-12, `${JSON.stringify(config)}, image ${place}`);
      assert.equal(predicted[place], runs.length > 0 ? 1 : 0);
      if (dice[place] !== ungated[place]) gated++;
      seen.add(dice[place]!.toFixed(6));
    }
  }
  assert.ok(gated > 50, 'gates decide something');
  assert.ok(seen.size > 80, `only ${seen.size} different scores`);
});
