import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanPresence } from '../../src/postprocess/gate.ts';
import { postprocessConfig, predictMask } from '../../src/postprocess/index.ts';

const says = (presence: number | undefined, weight = 1) => ({ presence, weight });

test('presence is the mean by the members’ weights', () => {
  assert.equal(meanPresence([says(0.5)]), 0.5);
  assert.ok(Math.abs(meanPresence([says(0.2, 3), says(0.8, 1)]) - 0.35) < 1e-15);
});

test('members without a presence head do not vote; without any there is no gate', () => {
  assert.equal(meanPresence([says(0.6), says(undefined, 100)]), 0.6);
  assert.throws(() => meanPresence([says(undefined)]), /Expected a member with a presence head/);
});

const member = (presence: number | undefined, byte = 255) => ({
  probabilities: new Uint8Array(4).fill(byte),
  resolution: 2,
  ...says(presence),
});
const isEmpty = (members: ReturnType<typeof member>[], gate: unknown, others?: typeof members) =>
  !predictMask(members, postprocessConfig.parse({ gate }), others, 4).data.includes(1);

test('an image below the gate is empty, one at it keeps its mask', () => {
  assert.equal(isEmpty([member(0.4)], 0.5), true);
  assert.equal(isEmpty([member(0.5)], 0.5), false);
  assert.equal(isEmpty([member(undefined)], undefined), false);
});

test('a gate may look at a figure of the probabilities', () => {
  const [low, high] = [member(undefined, 150), member(undefined, 200)];
  for (const statistic of ['max', 'top_mean', 'sum'] as const) {
    const gate = {
      max: { statistic, threshold: 170 / 255 },
      top_mean: { statistic, pixels: 3, threshold: 170 / 255 },
      sum: { statistic, above: 0.5, threshold: (16 * 170) / 255 },
    }[statistic];
    assert.deepEqual([isEmpty([low], gate), isEmpty([high], gate)], [true, false], statistic);
  }
});

test('a gate may look at another run', () => {
  const gate = { statistic: 'max', threshold: 0.7 };
  assert.equal(isEmpty([member(undefined)], gate, [member(undefined, 100)]), true);
  assert.equal(isEmpty([member(undefined, 140)], gate, [member(undefined, 200)]), false);
});

test('a gate is refused where its keys are not of its statistic', () => {
  const wrong: [gate: unknown, key: string][] = [
    [{ statistic: 'top_mean', threshold: 0.5 }, 'pixels'],
    [{ statistic: 'max', threshold: 0.5, pixels: 9 }, 'pixels'],
    [{ statistic: 'max', threshold: 1 }, 'threshold'],
    [{ threshold: 0.5, above: 0.5 }, 'above'],
  ];
  for (const [gate, key] of wrong) {
    const { error } = postprocessConfig.safeParse({ gate });
    assert.match(JSON.stringify(error?.issues), new RegExp(`"gate".*|"${key}"`), JSON.stringify(gate));
  }
  for (const gate of [0, 1, -0.1]) assert.equal(postprocessConfig.safeParse({ gate }).success, false);
  assert.equal(postprocessConfig.safeParse({ gate: { statistic: 'sum', threshold: 1500 } }).success, true);
});
