import type { AttributeValue, RecordedNode } from './graph-def.ts';
import { isOrder, type Rewrite } from './rewrite.ts';

/** How grappler marks the sums that it has been through (arithmetic_optimizer.cc, kAddOpsRewriteTag). */
const SEEN = '_grappler_ArithmeticOptimizer_AddOpsRewriteStage';

/**
 * Leaves sums as they were written, (a + b) + c. Grappler joins them to one sum of many, and TensorFlow begins such a one with
 * whichever array's memory it can take over: the result's last bits would hang on which operation ended first.
 */
export const keepSums: Rewrite = (recording) => {
  const nodes = recording.nodes.flatMap((node) => {
    if (node.op === 'AddN') return inPairs(node);
    return node.op === 'Add' || node.op === 'AddV2' ? [marked(node)] : [node];
  });
  return { ...recording, nodes };
};

/** A sum of many as sums of two, of which the last one has its name. */
function inPairs(node: RecordedNode): RecordedNode[] {
  const operands = node.inputs.filter((ref) => !isOrder(ref));
  const order = node.inputs.filter((ref) => isOrder(ref));
  const { N: _, ...attributes } = node.attributes;
  if (operands.length < 2) return [node];
  let [sum, ...rest] = operands as [string, ...string[]];
  return rest.map((operand, index) => {
    const name = index === rest.length - 1 ? node.name : `${node.name}/${index}`;
    const pair = marked({ ...node, name, op: 'AddV2', inputs: [sum, operand, ...order], attributes });
    sum = name;
    return pair;
  });
}

function marked(node: RecordedNode): RecordedNode {
  const seen: AttributeValue = { kind: 'bool', value: true };
  return { ...node, attributes: { ...node.attributes, [SEEN]: seen } };
}
