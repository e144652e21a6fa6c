import { DATA_TYPE, type NodeOutput, type RecordedNode } from './graph-def.ts';
import { isOrder, nodeOf, outputOf } from './rewrite.ts';
import { product } from './shapes.ts';

/** Bytes of an element, by TensorFlow's number for its type. */
const ELEMENT_BYTES: Readonly<Record<number, number>> = {
  [DATA_TYPE.float32]: 4,
  [DATA_TYPE.int32]: 4,
  [DATA_TYPE.uint8]: 1,
  [DATA_TYPE.bool]: 1,
  [DATA_TYPE.bfloat16]: 2,
  [DATA_TYPE.float16]: 2,
  // float64 and int64, which tfjs has not but kernels may give.
  2: 8,
  9: 8,
};

/** Their first output is their first input under another name or shape. */
const SHARING = new Set(['Identity', 'Reshape', 'Squeeze', 'ExpandDims', 'StopGradient']);
/** Their outputs are there before the function runs and after it: embedded, or a variable's own memory. */
const HELD_ELSEWHERE = new Set(['ReadVariableOp', 'VarHandleOp']);
const HELD_THROUGHOUT = new Set(['Const', 'Placeholder']);
/** TensorFlow writes their result over an input of the same size that nobody needs any more. */
const IN_PLACE = new Set([
  ...['Add', 'AddN', 'AddV2', 'BiasAdd', 'Div', 'Maximum', 'Minimum', 'Mul', 'RealDiv', 'Sub'],
  ...['Abs', 'Exp', 'Log', 'LeakyRelu', 'Neg', 'Relu', 'Relu6', 'Rsqrt', 'Sigmoid', 'Sqrt', 'Square', 'Tanh'],
  ...['LeakyReluGrad', 'Relu6Grad', 'ReluGrad', 'RsqrtGrad', 'SigmoidGrad', 'SoftplusGrad', 'SqrtGrad', 'TanhGrad'],
]);

/** A piece of memory; several references may mean it. */
interface Buffer {
  bytes: number;
  /** Place of the last node that takes from it, or of the one that makes it. */
  until: number;
}

/**
 * The most bytes that results of a recorded function take at once when its nodes run in their order: each is there
 * until the last node that takes from it. Inputs and constants are there throughout; variables are not counted, nor
 * what kernels need for themselves. Throws at an element type that it does not know.
 */
export function estimatePeakBytes(nodes: readonly RecordedNode[]): number {
  const last = findLastUses(nodes);
  const released: number[] = new Array(nodes.length + 1).fill(0);
  const buffers = new Map<string, Buffer>();
  let held = 0;
  let peak = 0;
  nodes.forEach((node, place) => {
    node.outputs.forEach((output, index) => {
      const ref = `${node.name}:${index}`;
      const until = HELD_THROUGHOUT.has(node.op) ? nodes.length : (last.get(ref) ?? place);
      const taken = index === 0 ? findReusable(node, output, place, buffers) : undefined;
      const buffer = taken ?? { bytes: HELD_ELSEWHERE.has(node.op) ? 0 : bytesOf(output), until: place };
      buffers.set(ref, buffer);
      if (taken === undefined) held += buffer.bytes;
      else released[buffer.until]! -= buffer.bytes;
      buffer.until = Math.max(buffer.until, until);
      released[buffer.until]! += buffer.bytes;
    });
    peak = Math.max(peak, held);
    held -= released[place]!;
  });
  return peak;
}

/** The place of the last node that takes from each output; waiting for a node (`^node`) keeps none of its results. */
function findLastUses(nodes: readonly RecordedNode[]): Map<string, number> {
  const last = new Map<string, number>();
  nodes.forEach(({ inputs }, place) => {
    for (const ref of inputs) if (!isOrder(ref)) last.set(keyOf(ref), place);
  });
  return last;
}

/** The memory of an input that the first output of a node takes over. */
function findReusable(
  node: RecordedNode,
  output: NodeOutput,
  place: number,
  buffers: ReadonlyMap<string, Buffer>,
): Buffer | undefined {
  const inputs = node.inputs.filter((ref) => !isOrder(ref)).map((ref) => buffers.get(keyOf(ref)));
  if (SHARING.has(node.op)) return inputs[0];
  if (!IN_PLACE.has(node.op)) return undefined;
  return inputs.find((buffer) => buffer?.until === place && buffer.bytes === bytesOf(output));
}

function bytesOf({ shape, dtype }: NodeOutput): number {
  const bytes = ELEMENT_BYTES[dtype];
  if (bytes === undefined) throw new Error(`Expected a known element type for an estimate but received ${dtype}.`);
  return bytes * product(shape);
}

function keyOf(ref: string): string {
  return `${nodeOf(ref)}:${outputOf(ref)}`;
}
