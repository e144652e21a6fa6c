import type { NativeAttribute, TensorMetadata } from './binding.ts';
import { DATA_TYPE } from './graph-def.ts';

/** A tensor as far as recording knows it: shape and type, and its values when they are constant and few. */
export interface KnownTensor {
  shape: readonly number[];
  dtype: number;
  values: ArrayLike<number> | undefined;
}

type Output = Pick<TensorMetadata, 'shape' | 'dtype'>;
type Rule = (
  inputs: readonly KnownTensor[],
  attribute: (name: string) => NativeAttribute['value'] | undefined,
) => Output[];

const likeFirst: Rule = ([x]) => [{ shape: [...x!.shape], dtype: x!.dtype }];
const broadcast: Rule = ([a, b]) => [{ shape: broadcastShapes(a!.shape, b!.shape), dtype: a!.dtype }];
const compare: Rule = ([a, b]) => [{ shape: broadcastShapes(a!.shape, b!.shape), dtype: DATA_TYPE.bool }];
const shapeFrom =
  (valuesAt: number, typeAt: number): Rule =>
  (inputs) => [{ shape: Array.from(constant(inputs[valuesAt]!)), dtype: inputs[typeAt]!.dtype }];

const reduce: Rule = ([x, axes], attribute) => {
  const rank = x!.shape.length;
  const reduced = new Set(Array.from(constant(axes!), (axis) => (axis + rank) % rank));
  const keep = attribute('keep_dims') === true;
  const shape = x!.shape.flatMap((side, axis) => (reduced.has(axis) ? (keep ? [1] : []) : [side]));
  return [{ shape, dtype: x!.dtype }];
};

const reshape: Rule = ([x, target]) => {
  const shape = Array.from(constant(target!));
  const known = shape.reduce((product, side) => (side === -1 ? product : product * side), 1);
  return [{ shape: shape.map((side) => (side === -1 ? product(x!.shape) / known : side)), dtype: x!.dtype }];
};

/** 'SAME' and 'VALID' as TensorFlow counts them: ⌈in/stride⌉ and ⌈(in − kernel + 1)/stride⌉. */
const convolve: Rule = ([x, filter], attribute) => {
  const strides = attribute('strides') as number[];
  const dilations = (attribute('dilations') as number[] | undefined) ?? [1, 1, 1, 1];
  const side = (axis: 1 | 2) => {
    const kernel = (filter!.shape[axis - 1]! - 1) * dilations[axis]! + 1;
    const room = attribute('padding') === 'SAME' ? x!.shape[axis]! : x!.shape[axis]! - kernel + 1;
    return Math.ceil(room / strides[axis]!);
  };
  if (attribute('padding') === 'EXPLICIT') return undefined as never;
  return [{ shape: [x!.shape[0]!, side(1), side(2), filter!.shape[3]!], dtype: x!.dtype }];
};

const depthwise: Rule = (inputs, attribute) => {
  const [output] = convolve(inputs, attribute);
  const [, , channels, multiplier] = inputs[1]!.shape;
  return output === undefined
    ? (undefined as never)
    : [{ ...output, shape: [...output.shape.slice(0, 3), channels! * multiplier!] }];
};

const UNARY = [
  ...['Relu', 'Relu6', 'LeakyRelu', 'Elu', 'Selu', 'Sigmoid', 'Tanh', 'Exp', 'Expm1', 'Log', 'Log1p', 'Sqrt', 'Rsqrt'],
  ...[
    'Square',
    'Abs',
    'Neg',
    'Sign',
    'Floor',
    'Ceil',
    'Round',
    'Reciprocal',
    'ZerosLike',
    'OnesLike',
    'Identity',
    'Softplus',
  ],
  ...[
    'ReluGrad',
    'Relu6Grad',
    'LeakyReluGrad',
    'EluGrad',
    'SigmoidGrad',
    'BiasAdd',
    'Softmax',
    'LogicalNot',
    'ReverseV2',
    'ClipByValue',
  ],
];
const BINARY = [
  'Add',
  'AddV2',
  'Sub',
  'Mul',
  'Div',
  'RealDiv',
  'DivNoNan',
  'Maximum',
  'Minimum',
  'Pow',
  'SquaredDifference',
  'FloorDiv',
  'FloorMod',
];
const COMPARISONS = ['Greater', 'GreaterEqual', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd', 'LogicalOr'];

const RULES = new Map<string, Rule>([
  ...UNARY.map((op) => [op, likeFirst] as const),
  ...BINARY.map((op) => [op, broadcast] as const),
  ...COMPARISONS.map((op) => [op, compare] as const),
  ...['Sum', 'Mean', 'Max', 'Min', 'Prod'].map((op) => [op, reduce] as const),
  ['AddN', likeFirst],
  ['Reshape', reshape],
  ['BroadcastTo', shapeFrom(1, 0)],
  ['Fill', shapeFrom(0, 1)],
  ['Conv2D', convolve],
  ['DepthwiseConv2dNative', depthwise],
  ['Conv2DBackpropInput', shapeFrom(0, 2)],
  ['Conv2DBackpropFilter', shapeFrom(1, 0)],
  ['DepthwiseConv2dNativeBackpropInput', shapeFrom(0, 2)],
  ['DepthwiseConv2dNativeBackpropFilter', shapeFrom(1, 0)],
  ['Cast', ([x], attribute) => [{ shape: [...x!.shape], dtype: attribute('DstT') as number }]],
]);

/** The outputs of an operation by rule, or undefined where there is no rule and the real kernel must be asked. */
export function inferOutputs(
  op: string,
  inputs: readonly KnownTensor[],
  attributes: readonly NativeAttribute[],
): Output[] | undefined {
  const attribute = (name: string) => attributes.find((candidate) => candidate.name === name)?.value;
  return RULES.get(op)?.(inputs, attribute);
}

/** The shape of an element-wise operation's result (numpy's broadcasting). Throws where two sides do not fit. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1)
      throw new Error(`Expected shapes that broadcast but received [${a}] and [${b}].`);
    return left === 1 ? right : left;
  });
}

/** The number of elements of a shape. */
export function product(shape: readonly number[]): number {
  return shape.reduce((count, side) => count * side, 1);
}

function constant({ values }: KnownTensor): ArrayLike<number> {
  if (values === undefined) throw new Error('Expected a shape that does not depend on data.');
  return values;
}
