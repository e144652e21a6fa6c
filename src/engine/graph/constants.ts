import type { NativeBinding, TensorValues } from './binding.ts';
import { type AttributeValue, DATA_TYPE } from './graph-def.ts';
import { callSite } from './refuse.ts';
import type { AddNode } from './resources.ts';
import { type KnownTensor, product } from './shapes.ts';

interface Constant extends KnownTensor {
  ref: string;
}

/** Larger arrays are not embedded: they belong into an input or a variable. */
const MOST_ELEMENTS = 65_536;
/** From here on an array of one value is written as its value and shape. */
const LEAST_FILL = 16;

/**
 * The constants of one recording: every array that tfjs hands to the binding, a node only once it is used, equal ones
 * once, and those of a single value as a Fill, so that nothing as large as an activation is ever embedded.
 */
export function createConstants(real: NativeBinding, add: AddNode) {
  const created = new Map<number, { shape: readonly number[]; dtype: number; values: TensorValues }>();
  const nodes = new Map<string, string>();

  const embed = (shape: readonly number[], dtype: number, values: TensorValues): string => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const key = `${dtype}[${shape}]${Buffer.from(bytes).toString('base64')}`;
    const attributes: Record<string, AttributeValue> = {
      dtype: { kind: 'type', value: dtype },
      value: { kind: 'tensor', dtype, shape, bytes: bytes.slice() },
    };
    const node = nodes.get(key) ?? add('Const', [], attributes, [{ shape, dtype }]);
    nodes.set(key, node);
    return node;
  };

  const fill = (shape: readonly number[], dtype: number, value: TensorValues): string => {
    const key = `fill ${dtype}[${shape}]${Object.is(value[0], -0) ? '-0' : value[0]}`;
    const dims = () => embed([shape.length], DATA_TYPE.int32, Int32Array.from(shape));
    const attributes: Record<string, AttributeValue> = {
      T: { kind: 'type', value: dtype },
      index_type: { kind: 'type', value: DATA_TYPE.int32 },
    };
    const node = nodes.get(key) ?? add('Fill', [dims(), embed([], dtype, value)], attributes, [{ shape, dtype }]);
    nodes.set(key, node);
    return node;
  };

  const write = (shape: readonly number[], dtype: number, values: TensorValues): Constant => {
    if (values.length >= LEAST_FILL && values.every((value: number) => Object.is(value, values[0]))) {
      return { ref: fill(shape, dtype, values.slice(0, 1)), shape, dtype, values: undefined };
    }
    if (values.length > MOST_ELEMENTS) {
      const next = 'Pass it as an input, or draw random numbers with the stateless kernels.';
      throw new Error(
        `Expected constants of at most ${MOST_ELEMENTS} elements in a graph but received [${shape}]${callSite()}. ${next}`,
      );
    }
    return { ref: embed(shape, dtype, values), shape, dtype, values };
  };

  return {
    /** What `binding.createTensor` does meanwhile: the tensor is real, since it may outlive the recording. */
    create: (shape: readonly number[], dtype: number, values: TensorValues): number => {
      const id = real.createTensor(shape, dtype, values);
      created.set(id, { shape, dtype, values });
      return id;
    },
    find: (id: number): Constant | undefined => {
      const constant = created.get(id);
      return constant === undefined ? undefined : write(constant.shape, constant.dtype, constant.values);
    },
    /** A tensor that existed before the recording and is no variable: its values as they are now. */
    capture: (id: number): Constant => {
      const identity = real.executeOp('Shape', [], [id], 1)[0]!;
      const shape = Array.from(real.tensorDataSync(identity.id));
      real.deleteTensor(identity.id);
      if (product(shape) > MOST_ELEMENTS) {
        throw new Error(
          `Expected an input or a variable for a tensor of shape [${shape}] made outside of the function${callSite()}.`,
        );
      }
      const values = real.tensorDataSync(id);
      const dtype =
        values instanceof Float32Array
          ? DATA_TYPE.float32
          : values instanceof Int32Array
            ? DATA_TYPE.int32
            : DATA_TYPE.bool;
      return write(shape, dtype, values);
    },
    scalar: (value: number): string => embed([], DATA_TYPE.float32, Float32Array.of(value)),
  };
}
