import type { NativeAttribute } from './binding.ts';
import type { NodeOutput } from './graph-def.ts';

/** A tensor as far as recording knows it: shape and type, and its values when they are constant and few. */
export interface KnownTensor {
  shape: readonly number[];
  dtype: number;
  values: ArrayLike<number> | undefined;
}

/** The outputs of an operation from its inputs and attributes; undefined where the rule does not know. */
export type ShapeRule = (
  inputs: readonly KnownTensor[],
  attribute: (name: string) => NativeAttribute['value'] | undefined,
) => NodeOutput[] | undefined;

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

/** The values of an operand that decides a shape. Throws where they are computed, since then the shape depends on data. */
export function constantValues({ values }: KnownTensor): number[] {
  if (values === undefined) throw new Error('Expected a shape that does not depend on data but it is computed.');
  return Array.from(values);
}
