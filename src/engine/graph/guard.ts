import { expected } from '../../core/errors.ts';
import { type AttributeValue, DATA_TYPE, type NodeOutput, type RecordedNode } from './graph-def.ts';
import type { Recording } from './record.ts';
import { isOrder, nodeOf } from './rewrite.ts';

const TRUTH: NodeOutput = { shape: [], dtype: DATA_TYPE.bool };

/**
 * Lets a function change its variables only where one of its results, a scalar of 1 or 0, is 1: every change waits for one side
 * of a switch, and a side that is not taken runs nothing (TensorFlow's control flow of Switch and Merge: Yu et al., 2018,
 * https://arxiv.org/abs/1805.01772, section 4.1). Results are given either way.
 * Throws where the function reads a variable after it has changed it, since there would be nothing to read.
 */
export function onlyWhere(recording: Recording, result: string): Recording {
  const { nodes, outputs, done } = recording;
  const source = outputs[result];
  if (source === undefined) throw new Error(expected('a result of the function', 'its guard', result));
  const changes = new Set(nodes.filter(changesVariable).map(({ name }) => name));
  const name = (part: string) => `${done}/${part}`;
  const bool: AttributeValue = { kind: 'type', value: DATA_TYPE.bool };
  const make = (part: string, op: string, inputs: string[], attributes: RecordedNode['attributes'] = { T: bool }) => {
    return { name: name(part), op, inputs, attributes, outputs: [TRUTH, TRUTH], scope: '' };
  };
  const cast = { SrcT: { kind: 'type', value: DATA_TYPE.float32 }, DstT: bool } as const;
  const two = { T: bool, N: { kind: 'int', value: 2 } } as const;
  const pivot = [
    make('guard', 'Cast', [source], cast),
    make('switch', 'Switch', [name('guard'), name('guard')]),
    make('kept', 'Identity', [name('switch')]),
    make('taken', 'Identity', [`${name('switch')}:1`]),
  ];
  const changed = make('changed', 'Identity', [name('taken'), ...[...changes].map((change) => `^${change}`)]);
  const merged = make('either', 'Merge', [name('kept'), name('changed')], two);

  const held = nodes.map((node): RecordedNode => {
    if (node.name === done) {
      const inputs = node.inputs.filter((ref) => !changes.has(nodeOf(ref)));
      return { ...node, inputs: [...inputs, `^${merged.name}`] };
    }
    if (changes.has(node.name)) return { ...node, inputs: [...node.inputs, `^${name('taken')}`] };
    if (!node.inputs.some((ref) => isOrder(ref) && changes.has(nodeOf(ref)))) return node;
    throw new Error(expected('no read after a change', `a function guarded by ${result}`, node.name));
  });
  // Every node comes after those that it takes from.
  const [before, after] = split(held, (node) => !changes.has(node.name) && node.name !== done);
  const [effects, [end]] = split(after, (node) => node.name !== done);
  return { ...recording, nodes: [...before, ...pivot, ...effects, changed, merged, end!] };
}

/** Whether a node writes to a resource: what takes a variable's handle and is no read. */
function changesVariable({ op, inputs }: RecordedNode): boolean {
  return op !== 'ReadVariableOp' && inputs.some((ref) => !isOrder(ref) && nodeOf(ref).startsWith('variable/'));
}

function split<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
