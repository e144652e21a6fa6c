import type { z } from 'zod';

/** One documented key of a configuration: what it means and which values it takes. */
export interface ConfigKey<T, Optional extends boolean = boolean> {
  doc: string;
  /** Checks the value and fills in defaults inside it; a function where the value's form decides between schemas. */
  schema: z.ZodType<T> | ((value: unknown) => z.ZodType<T>);
  /** The value when nothing gives one; null where there is none. */
  default: unknown;
  optional: Optional;
  /** The environment variable that sets it; for machine settings only. */
  env?: string;
}

/** Keys by name; a group of keys is a mapping of its own. */
export interface ConfigKeys {
  [name: string]: ConfigKey<unknown> | ConfigKeys;
}

/** What keys turn into once checked; an optional key that was not given is left out. */
export type ConfigOf<K> = Flat<
  { [N in keyof K as K[N] extends ConfigKey<unknown, true> ? never : N]: ValueOf<K[N]> } & {
    [N in keyof K as K[N] extends ConfigKey<unknown, true> ? N : never]?: ValueOf<K[N]>;
  }
>;
type ValueOf<E> = E extends ConfigKey<infer T> ? T : ConfigOf<E>;
type Flat<T> = { [N in keyof T]: T[N] };

/** A configuration of which the values that failed their check are missing; its groups are there. */
export type CheckedParts<K> = { [N in keyof K]: K[N] extends ConfigKey<infer T> ? T | undefined : CheckedParts<K[N]> };

type Schema<T> = ConfigKey<T>['schema'];

/** A key that must be given. */
export function required<T>(doc: string, schema: Schema<T>): ConfigKey<T, false> {
  return { doc, schema, default: null, optional: false };
}

/** A key with a value of its own when none is given. */
export function withDefault<T>(doc: string, schema: Schema<T>, value: T): ConfigKey<T, false> {
  return { doc, schema, default: value, optional: false };
}

/** A key that may be left out. */
export function optional<T>(doc: string, schema: Schema<T>): ConfigKey<T, true> {
  return { doc, schema, default: null, optional: true };
}

/** The same key, set by an environment variable. */
export function fromEnvironment<T, O extends boolean>(env: string, key: ConfigKey<T, O>): ConfigKey<T, O> {
  return { ...key, env };
}

/** Every key with its path, in the order of declaration. */
export function listKeys(
  keys: ConfigKeys,
  above: readonly string[] = [],
): { path: string[]; key: ConfigKey<unknown> }[] {
  return Object.entries(keys).flatMap(([name, entry]) => {
    const path = [...above, name];
    return isKey(entry) ? [{ path, key: entry }] : listKeys(entry, path);
  });
}

/** Whether an entry is one key rather than a group. */
export function isKey(entry: ConfigKey<unknown> | ConfigKeys): entry is ConfigKey<unknown> {
  return typeof entry.doc === 'string';
}
