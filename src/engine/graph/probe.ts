import type { NativeAttribute, NativeBinding } from './binding.ts';
import { DATA_TYPE, type NodeOutput } from './graph-def.ts';
import { callSite } from './refuse.ts';
import { type KnownTensor, product } from './shapes.ts';

/** Answers of real kernels, by operation, attributes and what went in. */
const answers = new Map<string, NodeOutput[]>();

/** Whole-number inputs that are data rather than shapes, axes or positions: zeros do for them. */
const WHOLE_NUMBER_DATA: Readonly<Record<string, readonly number[]>> = {
  GatherV2: [1],
  GatherNd: [1],
  ScatterNd: [0],
  SparseToDense: [0],
  SparseSoftmaxCrossEntropyWithLogits: [1],
  InTopKV2: [1],
};

/**
 * The outputs of an operation without a shape rule: asked of the real kernel once, on zeros of the inputs' shapes.
 * Throws where a whole-number input that may decide the shape is computed: zeros would give another one.
 */
export function probeOutputs(
  real: NativeBinding,
  op: string,
  attributes: readonly NativeAttribute[],
  inputs: readonly KnownTensor[],
  count: number,
): NodeOutput[] {
  inputs.forEach(({ dtype, values }, index) => {
    const harmless = index === 0 || dtype !== DATA_TYPE.int32 || WHOLE_NUMBER_DATA[op]?.includes(index) === true;
    if (values !== undefined || harmless) return;
    throw new Error(
      `Expected a shape that does not depend on data but input ${index} of ${op} is computed${callSite()}.`,
    );
  });
  const described = inputs.map(({ shape, dtype, values }) => [
    dtype,
    shape,
    values === undefined ? null : Array.from(values),
  ]);
  const key = JSON.stringify([op, attributes, described, count]);
  const answer = answers.get(key) ?? ask(real, op, attributes, inputs, count);
  answers.set(key, answer);
  return answer;
}

function ask(
  real: NativeBinding,
  op: string,
  attributes: readonly NativeAttribute[],
  inputs: readonly KnownTensor[],
  count: number,
): NodeOutput[] {
  const ids = inputs.map(({ shape, dtype, values }) =>
    real.createTensor(shape, dtype, makeValues(dtype, shape, values)),
  );
  try {
    const outputs = real.executeOp(op, attributes, ids, count);
    for (const { id } of outputs) real.deleteTensor(id);
    return outputs.map(({ shape, dtype }) => ({ shape, dtype }));
  } finally {
    for (const id of ids) real.deleteTensor(id);
  }
}

function makeValues(dtype: number, shape: readonly number[], values: ArrayLike<number> | undefined) {
  const elements = values ?? product(shape);
  if (dtype === DATA_TYPE.float32)
    return typeof elements === 'number' ? new Float32Array(elements) : Float32Array.from(elements);
  if (dtype === DATA_TYPE.int32)
    return typeof elements === 'number' ? new Int32Array(elements) : Int32Array.from(elements);
  return typeof elements === 'number' ? new Uint8Array(elements) : Uint8Array.from(elements);
}
