import type { GraphNode, RecordedNode } from './graph-def.ts';
import { indexNodes, isOrder, nodeOf, type Rewrite } from './rewrite.ts';
import { broadcastShapes } from './shapes.ts';

/** Operations that broadcast their operands themselves. */
const BROADCASTING = new Set(['Add', 'AddV2', 'Mul', 'Sub', 'RealDiv', 'Maximum', 'Minimum', 'SquaredDifference']);

/**
 * Lets element-wise operations take what was broadcast as it was before: the spread array, as large as an activation, is
 * then never made. tfjs spreads the gradients of means and sums so.
 */
export const spreadLate: Rewrite = (recording) => {
  const byName = indexNodes(recording.nodes);
  const nodes = recording.nodes.map((node) => (BROADCASTING.has(node.op) ? takeUnspread(node, byName) : node));
  return { ...recording, nodes };
};

function takeUnspread(node: RecordedNode, byName: ReadonlyMap<string, RecordedNode>): RecordedNode {
  const [a, b, ...order] = node.inputs;
  for (const [spread, other, at] of [
    [a!, b!, 0],
    [b!, a!, 1],
  ] as const) {
    const source = unspread(spread, byName);
    const shape = source === undefined ? undefined : byName.get(nodeOf(source))?.outputs[0]?.shape;
    const otherShape = byName.get(nodeOf(other))?.outputs[Number(other.split(':')[1] ?? 0)]?.shape;
    if (source === undefined || shape === undefined || otherShape === undefined) continue;
    if (broadcastShapes(shape, otherShape).join() !== node.outputs[0]!.shape.join()) continue;
    const inputs = at === 0 ? [source, other, ...order] : [other, source, ...order];
    return { ...node, inputs };
  }
  return node;
}

/** What a broadcast or a tiling of sides of one was made of. */
function unspread(ref: string, byName: ReadonlyMap<string, RecordedNode>): string | undefined {
  const node: (GraphNode & Pick<RecordedNode, 'outputs'>) | undefined = byName.get(nodeOf(ref));
  if (node === undefined || (node.op !== 'BroadcastTo' && node.op !== 'Tile')) return undefined;
  const source = node.inputs[0]!;
  const before = byName.get(nodeOf(source))?.outputs[0]?.shape;
  const after = node.outputs[0]!.shape;
  if (before === undefined || isOrder(source) || source.includes(':')) return undefined;
  const padded = [...new Array(after.length - before.length).fill(1), ...before];
  return padded.every((side, axis) => side === 1 || side === after[axis]) ? source : undefined;
}
