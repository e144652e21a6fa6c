import type { NativeAttribute, NativeBinding } from './binding.ts';
import type { AttributeValue } from './graph-def.ts';

/** A kernel's attributes, as tfjs hands them to its binding, in the form that a graph holds. Throws at an unknown type. */
export function encodeAttributes(
  binding: NativeBinding,
  attributes: readonly NativeAttribute[],
): Record<string, AttributeValue> {
  return Object.fromEntries(attributes.map((attribute) => [attribute.name, encodeAttribute(binding, attribute)]));
}

function encodeAttribute(binding: NativeBinding, { name, type, value }: NativeAttribute): AttributeValue {
  if (type === binding.TF_ATTR_TYPE) return { kind: 'type', value: value as number };
  if (type === binding.TF_ATTR_BOOL) return { kind: 'bool', value: value as boolean };
  if (type === binding.TF_ATTR_FLOAT) return { kind: 'float', value: value as number };
  if (type === binding.TF_ATTR_STRING) return { kind: 'string', value: value as string };
  if (type === binding.TF_ATTR_SHAPE) return { kind: 'shape', value: value as number[] };
  if (type === binding.TF_ATTR_INT) {
    return Array.isArray(value) ? { kind: 'ints', value: value as number[] } : { kind: 'int', value: value as number };
  }
  throw new Error(`Expected an attribute type that a graph can hold for ${name} but received ${type}.`);
}
