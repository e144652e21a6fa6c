import type { RecordedNode } from './graph-def.ts';
import { bytesOf, findConsumers, indexNodes, isOrder, nodeOf, outputOf, type Rewrite } from './rewrite.ts';
import { product } from './shapes.ts';

/** Smaller results are kept: they cost next to nothing (statistics of channels, gates). */
const WORTH_RECOMPUTING_BYTES = 64 * 1024;
/** Products of more multiplications for each element of their result are kept: they cost more than their memory is worth. */
const MOST_MULTIPLICATIONS = 64;
/** Neither copied nor waited for: their results are there all the while. */
const ALWAYS_THERE = new Set(['Const', 'Placeholder', 'ReadVariableOp', 'VarHandleOp', 'Fill']);

/**
 * Gradient checkpointing (Chen et al., 2016, https://arxiv.org/abs/1604.06174, section 3): of each region of a network
 * only the results that others need are kept, and what its own gradients need is computed again when they come. The copies
 * wait for the gradient that enters the region, since TensorFlow would otherwise merge them with the first computation.
 * What is cheap for its size is computed again: everything element by element, normalizations (by the statistics that
 * are known by then), depthwise convolutions, and products over few channels.
 * @param regionOf the region of a part of the function (a layer's name), or undefined where all is kept
 */
export function recompute(regionOf: (scope: string) => string | undefined): Rewrite {
  return (recording) => {
    const plan = planRegions(recording.nodes, regionOf);
    const nodes: RecordedNode[] = [];
    const replaced = new Map<string, string>();
    const triggers = new Map<string, string[]>();
    for (const node of recording.nodes) {
      if (node.scope !== '') {
        nodes.push(node);
        continue;
      }
      // A gradient's inputs outside of the regions are those that come from behind: they are the sign to begin.
      const inputs = node.inputs.map((ref) => {
        const source = find(ref, plan);
        if (source === undefined) return ref;
        const trigger = triggers.get(source.region) ?? findTrigger(node, plan);
        triggers.set(source.region, trigger);
        const copy = copyNode(source, { plan, trigger, replaced, nodes });
        const output = outputOf(ref);
        return output === 0 ? copy : `${copy}:${output}`;
      });
      nodes.push({ ...node, inputs });
    }
    return { ...recording, nodes };
  };
}

/** A node that is computed again when its region's gradients need it. */
interface Recomputed {
  node: RecordedNode;
  region: string;
}

/** The nodes of each region that nothing outside of it needs before the gradients come, and that are worth it. */
function planRegions(nodes: readonly RecordedNode[], regionOf: (scope: string) => string | undefined) {
  const consumers = findConsumers(nodes);
  const byName = indexNodes(nodes);
  const plan = new Map<string, Recomputed>();
  for (const node of nodes) {
    const region = node.scope === '' ? undefined : regionOf(node.scope);
    if (region === undefined || ALWAYS_THERE.has(node.op)) continue;
    if (node.outputs.every((output) => bytesOf(output) < WORTH_RECOMPUTING_BYTES)) continue;
    if (multiplicationsOf(node, byName) > MOST_MULTIPLICATIONS) continue;
    const outside = (consumers.get(node.name) ?? []).some(
      ({ scope, inputs }) =>
        scope !== '' &&
        regionOf(scope) !== region &&
        inputs.some((ref) => nodeOf(ref) === node.name && needsLarge(node, ref)),
    );
    if (!outside) plan.set(node.name, { node, region });
  }
  return plan;
}

/** What is computed again for a reference: its node, if it is to a large result of one that is. */
function find(ref: string, plan: ReadonlyMap<string, Recomputed>): Recomputed | undefined {
  const source = isOrder(ref) ? undefined : plan.get(nodeOf(ref));
  return source !== undefined && needsLarge(source.node, ref) ? source : undefined;
}

/** Whether a reference is to an output that is large: small ones are kept, whoever needs them. */
function needsLarge(node: RecordedNode, ref: string): boolean {
  const output = node.outputs[outputOf(ref)];
  return !isOrder(ref) && output !== undefined && bytesOf(output) >= WORTH_RECOMPUTING_BYTES;
}

function findTrigger(node: RecordedNode, plan: ReadonlyMap<string, Recomputed>): string[] {
  const others = node.inputs.filter((ref) => !isOrder(ref) && !plan.has(nodeOf(ref)));
  return others.map((ref) => `^${nodeOf(ref)}`);
}

function copyNode(
  { node }: Recomputed,
  context: {
    plan: ReadonlyMap<string, Recomputed>;
    trigger: readonly string[];
    replaced: Map<string, string>;
    nodes: RecordedNode[];
  },
): string {
  const { plan, trigger, replaced, nodes } = context;
  const done = replaced.get(node.name);
  if (done !== undefined) return done;
  const inputs = node.inputs.map((ref) => {
    const source = find(ref, plan);
    if (source === undefined) return ref;
    const copy = copyNode(source, context);
    const output = outputOf(ref);
    return output === 0 ? copy : `${copy}:${output}`;
  });
  const name = `${node.name}/again`;
  replaced.set(node.name, name);
  nodes.push(again({ ...node, name, inputs, scope: '' }, node.name, trigger));
  return name;
}

/** The same node waiting for its trigger; a normalization by statistics of the batch takes those that it found before. */
function again(copy: RecordedNode, original: string, trigger: readonly string[]): RecordedNode {
  if (copy.op !== 'HarnessBatchNormActivation') return { ...copy, inputs: [...copy.inputs, ...trigger] };
  const inputs = [...copy.inputs, `${original}:1`, `${original}:2`, ...trigger];
  return { ...copy, op: 'HarnessBatchNormActivationApply', inputs, outputs: copy.outputs.slice(0, 1) };
}

/** Multiplications for each element of a product's result; 0 for everything else. */
function multiplicationsOf(node: RecordedNode, byName: ReadonlyMap<string, RecordedNode>): number {
  const factor = (index: number) =>
    byName.get(nodeOf(node.inputs[index]!))?.outputs[outputOf(node.inputs[index]!)]?.shape;
  switch (node.op) {
    case 'Conv2D':
      return product(factor(1)!.slice(0, 3));
    // The filter is [k,k,outputs,inputs]; of its taps only every fourth meets a pixel at stride 2.
    case 'Conv2DBackpropInput':
      return product(factor(1)!) / factor(1)![2]! / 4;
    case 'DepthwiseConv2dNative':
      return product(factor(1)!.slice(0, 2));
    case 'MatMul':
    case 'BatchMatMulV2':
      return factor(0)!.at(-1)!;
    default:
      return 0;
  }
}
