import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passesGate } from '../../src/postprocess/gate.ts';
import { postprocessConfig, predictMask } from '../../src/postprocess/index.ts';

const says = (presence: number | undefined, weight = 1) => ({ presence, weight });

test('an image passes where the mean presence is at least the gate, by the members’ weights', () => {
  assert.equal(passesGate([says(0.5)], 0.5), true);
  assert.equal(passesGate([says(0.49)], 0.5), false);
  assert.equal(passesGate([says(0.2, 3), says(0.8, 1)], 0.4), false);
  assert.equal(passesGate([says(0.2, 1), says(0.8, 3)], 0.4), true);
});

test('members without a presence head do not vote; without any there is no gate', () => {
  assert.equal(passesGate([says(0.6), says(undefined, 100)], 0.5), true);
  assert.equal(passesGate([says(undefined)], undefined), true);
  assert.throws(() => passesGate([says(undefined)], 0.5), /Expected a member with a presence head/);
});

test('a mask that does not pass is empty, one that passes is as it was', () => {
  const member = (presence: number) => ({
    probabilities: new Uint8Array(4).fill(255),
    resolution: 2,
    ...says(presence),
  });
  const config = postprocessConfig.parse({ gate: 0.5 });
  assert.ok(predictMask([member(0.4)], config).data.every((pixel) => pixel === 0));
  assert.ok(predictMask([member(0.6)], config).data.every((pixel) => pixel === 1));
  for (const gate of [0, 1, -0.1]) assert.equal(postprocessConfig.safeParse({ gate }).success, false);
});
