import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { compile } from '../../src/engine/graph/compile.ts';
import { tf } from '../../src/engine/tf.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

const SHAPE = [64];
const fed = { shape: SHAPE, dtype: 'float32' } as const;
/** (a + b) + c is 1, and any other order is 0: next to 1e8, a float32 has no room for 1. */
const ADDENDS = { a: 1e8, b: -1e8, c: 1 };

for (const computed of ['a', 'b', 'c', 'none']) {
  for (const sum of ['in pairs', 'at once'] as const) {
    test(`three arrays summed ${sum} are summed in the order written, whichever can be taken over: ${computed}`, () => {
      const compiled = compile(
        (inputs) => {
          // What is fed has its own memory; a result of the graph may be overwritten by the sum.
          const [a, b, c] = ['a', 'b', 'c'].map((name) => {
            const addend = inputs[name]!;
            return name === computed ? addend.mul(inputs.one!) : addend;
          }) as [tf.Tensor, tf.Tensor, tf.Tensor];
          return { sum: sum === 'in pairs' ? a.add(b).add(c) : tf.addN([a, b, c]) };
        },
        { a: fed, b: fed, c: fed, one: fed },
      );
      const values = { ...ADDENDS, one: 1 };
      const feeds = Object.entries(values).map(([name, value]) => [name, new Float32Array(64).fill(value)] as const);
      assert.deepEqual([...compiled.run(Object.fromEntries(feeds)).sum!], new Array(64).fill(1));
      compiled.dispose();
    });
  }
}
