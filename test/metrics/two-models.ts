import { createRng } from '../../src/core/random.ts';

/** What two synthetic models score on the same images, and how much better the second truly is. */
export interface TwoModels {
  first: number[];
  second: number[];
  patients: number[];
  positive: boolean[];
}

/** The truth that `drawTwoModels` draws from: how much better the second model is on positives, on empties, and overall. */
export const TRUE_DIFFERENCE = { positives: 0.0255, empties: 0.015, all: 0.22375 * 0.0255 + (1 - 0.22375) * 0.015 };

/**
 * Scores in the competition's manner, with a known true difference: patients have 1 to 15 images, 30 % of them are sick and 60 %
 * of a sick one's images are positive (6.25 % of the others'). Both models find 85 % of the positives, mostly the same ones, and
 * the second draws them better by 0.03; the second raises a false alarm on 4.5 % of the empties and the first on 6 %.
 */
export function drawTwoModels(count: number, ...labels: (string | number)[]): TwoModels {
  const rng = createRng(7, 'two models', count, ...labels);
  const drawn: TwoModels = { first: [], second: [], patients: [], positive: [] };
  for (let patient = 0; patient < count; patient++) {
    const sick = rng.chance(0.3);
    const ease = rng.between(-0.2, 0.2);
    let images = 1;
    while (rng.chance(0.45) && images < 15) images++;
    for (let image = 0; image < images; image++) {
      const positive = rng.chance(sick ? 0.6 : 0.0625);
      const missed = rng.chance(0.15);
      const alarm = rng.chance(0.06);
      const alike = rng.chance(positive ? 0.8 : 0.7);
      const secondMissed = alike ? missed : rng.chance(0.15);
      const secondAlarm = alike ? alarm : rng.chance(0.01);
      const overlap = (better: number) => 0.55 + better + ease + rng.between(-0.2, 0.2);
      drawn.first.push(positive ? (missed ? 0 : overlap(0)) : Number(!alarm));
      drawn.second.push(positive ? (secondMissed ? 0 : overlap(0.03)) : Number(!secondAlarm));
      drawn.patients.push(patient);
      drawn.positive.push(positive);
    }
  }
  return drawn;
}
