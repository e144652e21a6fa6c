import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimatePeakBytes } from '../../src/engine/graph/estimate.ts';
import { DATA_TYPE, type RecordedNode } from '../../src/engine/graph/graph-def.ts';

/** A node whose outputs have so many elements each. */
function node(name: string, op: string, inputs: string[], elements: number[], type = 'float32'): RecordedNode {
  const dtype = DATA_TYPE[type as keyof typeof DATA_TYPE];
  return { name, op, inputs, attributes: {}, outputs: elements.map((side) => ({ shape: [side], dtype })), scope: '' };
}

const x = node('x', 'Placeholder', [], [10], 'uint8');

const CASES: [what: string, nodes: RecordedNode[], bytes: number][] = [
  ['nothing', [], 0],
  ['an input is there throughout', [x, node('a', 'Conv2D', ['x'], [10]), node('b', 'Conv2D', ['a'], [100])], 10 + 440],
  [
    'a result lives until the last that takes it',
    [
      node('a', 'Conv2D', [], [100]),
      node('b', 'Conv2D', ['a'], [50]),
      node('c', 'Conv2D', ['b'], [50]),
      node('d', 'Conv2D', ['a', 'c'], [50]),
    ],
    4 * (100 + 50 + 50),
  ],
  [
    'waiting for a node keeps none of its results',
    [node('a', 'Conv2D', [], [100]), node('b', 'Conv2D', [], [60]), node('c', 'Conv2D', ['b', '^a'], [60])],
    4 * (60 + 60),
  ],
  [
    'what changes only its name or shape shares memory, and keeps it alive',
    [
      node('a', 'Conv2D', [], [100]),
      node('b', 'Reshape', ['a'], [100]),
      node('c', 'Conv2D', [], [30]),
      node('d', 'Conv2D', ['b'], [10]),
    ],
    4 * (100 + 30),
  ],
  [
    'an element-wise operation writes over an input that nobody needs any more',
    [node('a', 'Conv2D', [], [100]), node('b', 'Relu', ['a'], [100])],
    400,
  ],
  [
    'but not over one that is needed, nor over a smaller one',
    [node('a', 'Conv2D', [], [100]), node('b', 'Relu', ['a'], [100]), node('c', 'Conv2D', ['a', 'b'], [1])],
    4 * 201,
  ],
  [
    'a variable holds its memory itself',
    [node('w', 'ReadVariableOp', ['variable/w'], [999]), node('a', 'Neg', ['w'], [9])],
    36,
  ],
  [
    'an unused output is there while its node runs',
    [node('a', 'FusedBatchNormV3', [], [100, 10]), node('b', 'Conv2D', ['a'], [20])],
    4 * 120,
  ],
  [
    'each output lives by itself',
    [node('a', 'Split', [], [10, 90]), node('b', 'Neg', ['a'], [10]), node('c', 'Conv2D', ['a:1'], [5])],
    400,
  ],
  [
    '16 bits take half',
    [node('a', 'Conv2D', [], [100], 'bfloat16'), node('b', 'Conv2D', ['a'], [100], 'float16')],
    400,
  ],
];

for (const [what, nodes, bytes] of CASES) {
  test(`estimate: ${what}`, () => assert.equal(estimatePeakBytes(nodes), bytes));
}

test('an element type that it does not know is an error', () => {
  const odd: RecordedNode = { ...x, outputs: [{ shape: [1], dtype: 99 }] };
  assert.throws(() => estimatePeakBytes([odd]), /element type .* 99/);
});
