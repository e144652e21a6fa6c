import { type AttributeValue, DATA_TYPE, type NodeOutput, type RecordedNode } from './graph-def.ts';
import { indexNodes, isOrder, nodeOf, outputOf, type Rewrite } from './rewrite.ts';
import { product } from './shapes.ts';

/** Products of large arrays: where low precision pays. Which inputs are multiplied. */
const PRODUCTS: Readonly<Record<string, readonly number[]>> = {
  Conv2D: [0, 1],
  Conv2DBackpropInput: [1, 2],
  Conv2DBackpropFilter: [0, 2],
  MatMul: [0, 1],
  BatchMatMulV2: [0, 1],
};

/** Products of few factors: a GPU's memory gains from them, a processor is slower at them in 16 bits. */
const DEPTHWISE: typeof PRODUCTS = {
  DepthwiseConv2dNative: [0, 1],
  DepthwiseConv2dNativeBackpropInput: [1, 2],
  DepthwiseConv2dNativeBackpropFilter: [0, 2],
};

/** Element by element and copies: done low where all that goes in is low already, so that nothing is cast to and fro. */
const FOLLOWING = new Set([
  ...['Add', 'AddN', 'AddV2', 'AvgPool', 'AvgPoolGrad', 'BiasAdd', 'ConcatV2', 'LeakyRelu', 'LeakyReluGrad', 'MaxPool'],
  ...['Mul', 'Pad', 'PadV2', 'Relu', 'ReluGrad', 'Relu6', 'Relu6Grad', 'Sigmoid', 'Slice', 'SoftplusGrad', 'Sub'],
  ...['Tanh', 'Transpose', 'Reshape', 'ResizeNearestNeighbor', 'ResizeNearestNeighborGrad'],
]);

/** An operand this much smaller than the result (a scalar, means of channels) does not keep an operation high. */
const SMALL = 64;

export interface LowPrecision {
  type: 'bfloat16' | 'float16';
  /**
   * Which operations are done low. `products`: convolutions of all channels and matrix products alone (a processor computes
   * the rest faster in float32). `activations`: element-wise operations and batch normalization between them too, with its
   * statistics in float32, so that activations take half the memory.
   */
  extent: 'products' | 'activations';
}

/**
 * Mixed precision (Micikevicius et al., 2018, https://arxiv.org/abs/1710.03740, section 3): products in 16 bits, while
 * weights, their updates, statistics, reductions and the loss stay in float32. Every result that was float32 is still.
 */
export function lowPrecision({ type, extent }: LowPrecision): Rewrite {
  return (recording) => {
    const byName = indexNodes(recording.nodes);
    const whole = findWhole(recording.nodes);
    const low = new Map<string, string>();
    const nodes: RecordedNode[] = [];
    const toLow = (ref: string): string => low.get(ref) ?? castToLow(ref, byName, { type, low, nodes });
    for (const node of recording.nodes) {
      const lowered = whole.has(node.name) ? undefined : chooseInputs(node, byName, { low, extent });
      if (lowered === undefined) {
        nodes.push(node);
        continue;
      }
      const inputs = node.inputs.map((ref, index) => (lowered.includes(index) ? toLow(ref) : ref));
      // The low node takes a name of its own: the old name stays for its float32 result, which only some may want.
      const name = `${node.name}/${type}`;
      const outputs = node.outputs.map((output, index) =>
        index === 0 ? { ...output, dtype: DATA_TYPE[type] } : output,
      );
      nodes.push({ ...node, name, inputs, outputs, attributes: lowerAttributes(node, type) });
      nodes.push(cast(node.name, name, node.outputs[0]!, { from: type, to: 'float32' }, node.scope));
      low.set(node.name, name);
    }
    return { ...recording, nodes: redirectOthers(nodes, type) };
  };
}

/** The inputs to take in low precision; undefined where the operation stays as it is. */
function chooseInputs(
  node: RecordedNode,
  byName: ReadonlyMap<string, RecordedNode>,
  { low, extent }: { low: ReadonlyMap<string, string>; extent: LowPrecision['extent'] },
): readonly number[] | undefined {
  if (node.outputs[0]?.dtype !== DATA_TYPE.float32) return undefined;
  if (extent === 'products') return PRODUCTS[node.op];
  const products = PRODUCTS[node.op] ?? DEPTHWISE[node.op];
  if (products !== undefined) return products;
  const isLow = (index: number) => low.has(node.inputs[index]!);
  if (node.op === 'FusedBatchNormV3') return isLow(0) ? [0] : undefined;
  if (node.op === 'FusedBatchNormGradV3') return isLow(0) && isLow(1) ? [0, 1] : undefined;
  if (!FOLLOWING.has(node.op)) return undefined;
  const floats = node.inputs.flatMap((ref, index) => {
    const output = isOrder(ref) ? undefined : byName.get(nodeOf(ref))?.outputs[outputOf(ref)];
    const small = output !== undefined && SMALL * product(output.shape) <= product(node.outputs[0]!.shape);
    return output?.dtype === DATA_TYPE.float32 ? [{ index, small }] : [];
  });
  const large = floats.filter(({ small }) => !small);
  return large.length > 0 && large.every(({ index }) => isLow(index)) ? floats.map(({ index }) => index) : undefined;
}

/**
 * What is small and would be rounded once more for nothing: all that is computed from weights alone (a kernel brought into
 * another form), and products with a constant, which is how its gradient comes back.
 */
function findWhole(nodes: readonly RecordedNode[]): ReadonlySet<string> {
  const constant = derivedFrom(nodes, ({ op }) => op === 'Const');
  const ofWeights = derivedFrom(nodes, ({ op }) => op === 'Const' || op === 'ReadVariableOp');
  const byConstant = nodes.filter(
    ({ op, inputs }) => (op === 'MatMul' || op === 'BatchMatMulV2') && inputs.some((ref) => constant.has(nodeOf(ref))),
  );
  return new Set([...ofWeights, ...byConstant.map(({ name }) => name)]);
}

/** The sources, and the nodes that take from nothing but them and one another. */
function derivedFrom(nodes: readonly RecordedNode[], isSource: (node: RecordedNode) => boolean): Set<string> {
  const found = new Set<string>();
  for (const node of nodes) {
    const taken = node.inputs.filter((ref) => !isOrder(ref));
    if (isSource(node) || (taken.length > 0 && taken.every((ref) => found.has(nodeOf(ref))))) found.add(node.name);
  }
  return found;
}

function lowerAttributes(node: RecordedNode, type: LowPrecision['type']): Record<string, AttributeValue> {
  return { ...node.attributes, T: { kind: 'type', value: DATA_TYPE[type] } };
}

function castToLow(
  ref: string,
  byName: ReadonlyMap<string, RecordedNode>,
  { type, low, nodes }: { type: LowPrecision['type']; low: Map<string, string>; nodes: RecordedNode[] },
): string {
  const source = byName.get(nodeOf(ref))!;
  const name = `${ref.replace(':', '_')}/to_${type}`;
  nodes.push(cast(name, ref, source.outputs[outputOf(ref)]!, { from: 'float32', to: type }, source.scope));
  low.set(ref, name);
  return name;
}

function cast(
  name: string,
  input: string,
  { shape }: NodeOutput,
  { from, to }: { from: keyof typeof DATA_TYPE; to: keyof typeof DATA_TYPE },
  scope: string,
): RecordedNode {
  const attributes: Record<string, AttributeValue> = {
    SrcT: { kind: 'type', value: DATA_TYPE[from] },
    DstT: { kind: 'type', value: DATA_TYPE[to] },
  };
  return { name, op: 'Cast', inputs: [input], attributes, outputs: [{ shape, dtype: DATA_TYPE[to] }], scope };
}

/** Further outputs of a lowered node (statistics of a batch norm) come from the node itself, under its new name. */
function redirectOthers(nodes: readonly RecordedNode[], type: LowPrecision['type']): RecordedNode[] {
  const lowered = new Set(nodes.filter(({ name }) => name.endsWith(`/${type}`)).map(({ name }) => name));
  return nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((ref) => {
      const renamed = `${nodeOf(ref)}/${type}`;
      return ref.includes(':') && lowered.has(renamed) ? `${renamed}:${outputOf(ref)}` : ref;
    }),
  }));
}
