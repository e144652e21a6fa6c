import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml';

/** The way to a value: keys of mappings and indices of lists. */
export type KeyPath = readonly (string | number)[];

/** Whether a path leads to or through `start`; indices and keys are compared as they are written. */
export function startsWith(path: KeyPath, start: KeyPath): boolean {
  return start.length <= path.length && start.every((part, i) => String(part) === String(path[i]));
}

/** The line, from 1, on which the value at a path is introduced; for what is absent, the line of what should hold it. */
export function lineOf(document: Document, lines: LineCounter, path: KeyPath): number {
  let offset = document.contents?.range?.[0] ?? 0;
  let node: unknown = document.contents;
  for (const part of path) {
    const child = childOf(document, node, part);
    if (child === undefined) break;
    offset = child.offset;
    node = child.node;
  }
  return Math.max(1, lines.linePos(offset).line);
}

/** Whether a path leads to a mapping or a list of the file. */
export function isCollectionAt(document: Document, path: KeyPath): boolean {
  let node: unknown = document.contents;
  for (const part of path) node = childOf(document, node, part)?.node;
  return isMap(node) || isSeq(node);
}

/** A key's value (its offset is the key's own) or a list's item. */
function childOf(document: Document, parent: unknown, part: string | number) {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isMap(node)) {
    const pair = (node.items as Pair[]).find(({ key }) => isScalar(key) && String(key.value) === String(part));
    return pair === undefined ? undefined : { node: pair.value, offset: (pair.key as Node).range?.[0] ?? 0 };
  }
  const item = isSeq(node) ? node.items[Number(part)] : undefined;
  return isNode(item) ? { node: item, offset: item.range?.[0] ?? 0 } : undefined;
}
