import type { NativeAttribute } from './binding.ts';
import { DATA_TYPE, type NodeOutput } from './graph-def.ts';
import { callSite } from './refuse.ts';
import { broadcastShapes, constantValues, type KnownTensor, product, type ShapeRule } from './shapes.ts';

const likeInput =
  (index: number): ShapeRule =>
  (inputs) => [{ shape: inputs[index]!.shape, dtype: inputs[index]!.dtype }];

const broadcast: ShapeRule = ([a, b]) => [{ shape: broadcastShapes(a!.shape, b!.shape), dtype: a!.dtype }];

const compare: ShapeRule = ([a, b]) => [{ shape: broadcastShapes(a!.shape, b!.shape), dtype: DATA_TYPE.bool }];

const shapeFrom =
  (valuesAt: number, typeAt: number): ShapeRule =>
  (inputs) => [{ shape: constantValues(inputs[valuesAt]!), dtype: inputs[typeAt]!.dtype }];

const select: ShapeRule = ([condition, a, b]) => {
  const shape = broadcastShapes(condition!.shape, broadcastShapes(a!.shape, b!.shape));
  return [{ shape, dtype: a!.dtype }];
};

const reduce: ShapeRule = ([x, axes], attribute) => {
  const rank = x!.shape.length;
  const reduced = new Set(constantValues(axes!).map((axis) => (axis + rank) % rank));
  const keep = attribute('keep_dims') === true;
  const shape = x!.shape.flatMap((side, axis) => (reduced.has(axis) ? (keep ? [1] : []) : [side]));
  return [{ shape, dtype: x!.dtype }];
};

const reshape: ShapeRule = ([x, target]) => {
  const shape = constantValues(target!);
  const known = shape.reduce((sides, side) => (side === -1 ? sides : sides * side), 1);
  return [{ shape: shape.map((side) => (side === -1 ? product(x!.shape) / known : side)), dtype: x!.dtype }];
};

const transpose: ShapeRule = ([x, order]) => [
  { shape: constantValues(order!).map((axis) => x!.shape[axis]!), dtype: x!.dtype },
];

const pad: ShapeRule = ([x, amounts]) => {
  const pairs = constantValues(amounts!);
  return [{ shape: x!.shape.map((side, axis) => side + pairs[2 * axis]! + pairs[2 * axis + 1]!), dtype: x!.dtype }];
};

const slice: ShapeRule = ([x, begin, size]) => {
  const from = constantValues(begin!);
  const shape = constantValues(size!).map((side, axis) => (side === -1 ? x!.shape[axis]! - from[axis]! : side));
  return [{ shape, dtype: x!.dtype }];
};

const concat: ShapeRule = (inputs) => {
  const parts = inputs.slice(0, -1);
  const [first] = parts;
  const axis = (constantValues(inputs.at(-1)!)[0]! + first!.shape.length) % first!.shape.length;
  const joined = parts.reduce((side, { shape }) => side + shape[axis]!, 0);
  return [{ shape: first!.shape.map((side, at) => (at === axis ? joined : side)), dtype: first!.dtype }];
};

const resize: ShapeRule = ([x, size]) => {
  const [n, , , c] = x!.shape;
  return [{ shape: [n!, ...constantValues(size!), c!], dtype: x!.dtype }];
};

const resizeNearestGradient: ShapeRule = ([dy, size]) => {
  const [n, , , c] = dy!.shape;
  return [{ shape: [n!, ...constantValues(size!), c!], dtype: dy!.dtype }];
};

/** A window over height and width: 'SAME' gives ⌈in/stride⌉, 'VALID' ⌈(in − window + 1)/stride⌉. */
function windowed(side: number, window: number, stride: number, padding: unknown): number {
  return Math.ceil((padding === 'SAME' ? side : side - window + 1) / stride);
}

const convolve: ShapeRule = ([x, filter], attribute) => {
  if (attribute('padding') === 'EXPLICIT' || attribute('data_format') === 'NCHW') return undefined;
  const strides = attribute('strides') as number[];
  const dilations = (attribute('dilations') as number[] | undefined) ?? [1, 1, 1, 1];
  const side = (axis: 1 | 2) => {
    const window = (filter!.shape[axis - 1]! - 1) * dilations[axis]! + 1;
    return windowed(x!.shape[axis]!, window, strides[axis]!, attribute('padding'));
  };
  return [{ shape: [x!.shape[0]!, side(1), side(2), filter!.shape[3]!], dtype: x!.dtype }];
};

const depthwise: ShapeRule = (inputs, attribute) => {
  const output = convolve(inputs, attribute)?.[0];
  const [, , channels, multiplier] = inputs[1]!.shape;
  return output === undefined
    ? undefined
    : [{ ...output, shape: [...output.shape.slice(0, 3), channels! * multiplier!] }];
};

const pool: ShapeRule = ([x], attribute) => {
  if (attribute('data_format') === 'NCHW') return undefined;
  const [window, strides] = [attribute('ksize') as number[], attribute('strides') as number[]];
  const side = (axis: 1 | 2) => windowed(x!.shape[axis]!, window[axis]!, strides[axis]!, attribute('padding'));
  return [{ shape: [x!.shape[0]!, side(1), side(2), x!.shape[3]!], dtype: x!.dtype }];
};

const multiply: ShapeRule = ([a, b], attribute) => {
  const flipped = (name: string, short: string) => attribute(name) === true || attribute(short) === true;
  const rows = a!.shape.at(flipped('transpose_a', 'adj_x') ? -1 : -2)!;
  const columns = b!.shape.at(flipped('transpose_b', 'adj_y') ? -2 : -1)!;
  const batch = broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
  return [{ shape: [...batch, rows, columns], dtype: a!.dtype }];
};

/** y, then batch mean, variance and two statistics for the gradient [C], then what cuDNN keeps. */
const batchNorm: ShapeRule = ([x, scale]) => {
  const statistics = { shape: scale!.shape, dtype: DATA_TYPE.float32 };
  const kept = { shape: [0], dtype: DATA_TYPE.float32 };
  return [{ shape: x!.shape, dtype: x!.dtype }, statistics, statistics, statistics, statistics, kept];
};

const batchNormGradient: ShapeRule = ([, x, scale]) => {
  const gradient = { shape: scale!.shape, dtype: DATA_TYPE.float32 };
  const none = { shape: [0], dtype: DATA_TYPE.float32 };
  return [{ shape: x!.shape, dtype: x!.dtype }, gradient, gradient, none, none];
};

/** y, mean and variance of the batch; dx, dgamma and dbeta. */
const ownBatchNorm: ShapeRule = ([x, gamma]) => [x!, gamma!, gamma!].map(({ shape, dtype }) => ({ shape, dtype }));
const ownBatchNormGradient: ShapeRule = ([, ...inputs], attribute) => ownBatchNorm(inputs, attribute);

/** y, mean and variance of each image's groups. */
const ownGroupNorm: ShapeRule = ([x], attribute) => {
  const statistics = { shape: [x!.shape[0]!, attribute('groups') as number], dtype: x!.dtype };
  return [{ shape: x!.shape, dtype: x!.dtype }, statistics, statistics];
};

const ownDepthwiseFilter: ShapeRule = ([x], attribute) => {
  const [height, width] = [attribute('filter_height') as number, attribute('filter_width') as number];
  return [{ shape: [height, width, x!.shape[3]!, 1], dtype: x!.dtype }];
};

/** A loss for each row, and slopes for each of its elements. */
const lovaszHinge: ShapeRule = ([x]) => [
  { shape: x!.shape.slice(0, 1), dtype: x!.dtype },
  { shape: x!.shape, dtype: x!.dtype },
];

/** The largest values of each row and their places in it. */
const largest: ShapeRule = ([x, count]) => {
  const shape = [...x!.shape.slice(0, -1), constantValues(count!)[0]!];
  return [
    { shape, dtype: x!.dtype },
    { shape, dtype: DATA_TYPE.int32 },
  ];
};

const LIKE_FIRST =
  'Abs AddN BiasAdd Ceil ClipByValue Cos Cumsum Elu Erf Exp Expm1 Floor Identity LeakyRelu Log Log1p LogicalNot Mish Neg ' +
  'OnesLike Reciprocal Relu Relu6 ReverseV2 Round Rsqrt Selu Sigmoid Sign Sin Softmax Softplus Sqrt Square Tanh ZerosLike ' +
  'EluGrad LeakyReluGrad Relu6Grad ReluGrad SigmoidGrad TanhGrad RsqrtGrad SqrtGrad';
const BROADCAST =
  'Add AddV2 Div DivNoNan FloorDiv FloorMod Maximum Minimum Mul Pow RealDiv SquaredDifference Sub Xdivy Xlogy Atan2';
const COMPARE = 'Equal Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr NotEqual';
const REDUCE = 'All Any Max Mean Min Prod Sum';

const all = (ops: string, rule: ShapeRule) => ops.split(' ').map((op) => [op, rule] as const);

/** How the shape of every common operation's outputs follows from its inputs (TensorFlow's shape functions). */
const SHAPE_RULES: ReadonlyMap<string, ShapeRule> = new Map<string, ShapeRule>([
  ...all(LIKE_FIRST, likeInput(0)),
  ...all(BROADCAST, broadcast),
  ...all(COMPARE, compare),
  ...all(REDUCE, reduce),
  ...all('Pad PadV2 MirrorPad', pad),
  ...all('Conv2DBackpropInput DepthwiseConv2dNativeBackpropInput', shapeFrom(0, 2)),
  ...all('Conv2DBackpropFilter DepthwiseConv2dNativeBackpropFilter', shapeFrom(1, 0)),
  ...all('MaxPool AvgPool', pool),
  ...all('ResizeBilinear ResizeNearestNeighbor', resize),
  ...all('MatMul BatchMatMul BatchMatMulV2', multiply),
  ...all('StatelessRandomUniform StatelessRandomNormal StatelessTruncatedNormal', ([shape]) => [
    { shape: constantValues(shape!), dtype: DATA_TYPE.float32 },
  ]),
  ['AvgPoolGrad', shapeFrom(0, 1)],
  ['BroadcastTo', shapeFrom(1, 0)],
  ['Cast', ([x], attribute) => [{ shape: x!.shape, dtype: attribute('DstT') as number }]],
  ['ConcatV2', concat],
  ['Conv2D', convolve],
  ['DepthwiseConv2dNative', depthwise],
  ['Fill', shapeFrom(0, 1)],
  ['FusedBatchNormGradV3', batchNormGradient],
  ['FusedBatchNormV3', batchNorm],
  ['HarnessBatchNormActivation', ownBatchNorm],
  ['HarnessBatchNormActivationApply', likeInput(0)],
  ['HarnessBatchNormActivationApplyGrad', ownBatchNormGradient],
  ['HarnessBatchNormActivationGrad', ownBatchNormGradient],
  ['HarnessDepthwiseFilterGrad', ownDepthwiseFilter],
  ['HarnessGate', likeInput(0)],
  ['HarnessGroupNormActivation', ownGroupNorm],
  ['HarnessGroupNormActivationGrad', ownBatchNormGradient],
  ['HarnessGateGrad', ([, ...inputs]) => inputs.map(({ shape, dtype }) => ({ shape, dtype }))],
  ['HarnessLovaszHinge', lovaszHinge],
  ['MaxPoolGrad', likeInput(0)],
  ['Reshape', reshape],
  ['ResizeBilinearGrad', likeInput(1)],
  ['ResizeNearestNeighborGrad', resizeNearestGradient],
  ['ScatterNd', shapeFrom(2, 1)],
  ['Select', select],
  ['SelectV2', select],
  ['Slice', slice],
  [
    'Tile',
    ([x, times]) => [{ shape: x!.shape.map((side, axis) => side * constantValues(times!)[axis]!), dtype: x!.dtype }],
  ],
  ['TopKV2', largest],
  ['Transpose', transpose],
]);

/** The outputs of an operation by rule, or undefined where there is no rule and the real kernel must be asked. */
export function inferOutputs(
  op: string,
  inputs: readonly KnownTensor[],
  attributes: readonly NativeAttribute[],
): NodeOutput[] | undefined {
  const attribute = (name: string) => attributes.find((candidate) => candidate.name === name)?.value;
  try {
    return SHAPE_RULES.get(op)?.(inputs, attribute);
  } catch (error) {
    const said = error instanceof Error ? error.message : error;
    throw new Error(`${said} The operation is ${op}${callSite()}.`, { cause: error });
  }
}
