import type { RecordedNode } from './graph-def.ts';
import type { Recording } from './record.ts';

/** A pass over a recorded function: another graph with the same results, but for rounding. */
export type Rewrite = (recording: Recording) => Recording;

/** The node that a reference (`node`, `node:output`, `^node`) leads to. */
export function nodeOf(ref: string): string {
  return ref.replace(/^\^/, '').split(':')[0]!;
}

/** Which of its node's outputs a reference means. */
export function outputOf(ref: string): number {
  return Number(ref.split(':')[1] ?? 0);
}

/** Whether a reference is for order alone. */
export function isOrder(ref: string): boolean {
  return ref.startsWith('^');
}

/** Nodes by name. */
export function indexNodes(nodes: readonly RecordedNode[]): Map<string, RecordedNode> {
  return new Map(nodes.map((node) => [node.name, node]));
}

/** The nodes that take from each node, by its name. */
export function findConsumers(nodes: readonly RecordedNode[]): Map<string, RecordedNode[]> {
  const consumers = new Map<string, RecordedNode[]>();
  for (const node of nodes) {
    for (const source of new Set(node.inputs.map(nodeOf))) {
      consumers.set(source, [...(consumers.get(source) ?? []), node]);
    }
  }
  return consumers;
}

/** The bytes of a node's output. */
export function bytesOf({ shape }: { shape: readonly number[] }): number {
  return shape.reduce((count, side) => count * side, 4);
}
