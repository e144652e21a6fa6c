import { parseDocument } from 'yaml';
import { expected, UserError } from '../core/errors.ts';
import type { KeyPath } from './locate.ts';

/** One `key=value` word of the command line. */
export interface Override {
  path: readonly string[];
  value: unknown;
  /** As typed. */
  text: string;
}

/**
 * Reads one `key=value` word: the key's dots lead into mappings and lists, the value is YAML (`5e-4`, `true`,
 * `[none, hflip]`). Throws UserError where the value is no YAML or a part of the key is empty.
 */
export function readOverride(key: string, value: string): Override {
  const text = `${key}=${value}`;
  const path = key.split('.');
  if (path.includes('')) throw new UserError(expected('a name between dots', `the key of ${text}`, key));
  const document = parseDocument(value, { prettyErrors: false });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw new UserError(expected('a YAML value', text, value, `${problem.message}.`));
  return { path, value: document.toJS(), text };
}

/**
 * A copy of `container` with another value at a path; what is missing on the way is made, and a scalar in the way
 * becomes a mapping for the schema to refuse. Throws UserError for an index that a list does not have.
 */
export function setAt(container: unknown, { path, value, text }: Override): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (Array.isArray(container)) {
    const index = /^\d+$/.test(first) ? Number(first) : Number.NaN;
    if (!(index < container.length)) {
      throw new UserError(expected(`an index below ${container.length}`, `an item of the list in ${text}`, first));
    }
    return container.with(index, setAt(container[index], { path: rest, value, text }));
  }
  const mapping = isMapping(container) ? container : {};
  const inner = Object.hasOwn(mapping, first) ? mapping[first] : undefined;
  return { ...mapping, [first]: setAt(inner, { path: rest, value, text }) };
}

/** Whether a value is what YAML calls a mapping. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of mappings and lists, or undefined. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((inner, part) => {
    const container = inner as Record<string | number, unknown> | null | undefined;
    return typeof container === 'object' && container !== null && Object.hasOwn(container, part)
      ? container[part]
      : undefined;
  }, value);
}
