import convict from 'convict';
import { expected, UserError } from '../core/errors.ts';
import { describeIssue, keysOf, type Problem, unknownKey } from './describe-problem.ts';
import { type CheckedParts, type ConfigKey, type ConfigKeys, type ConfigOf, isKey, listKeys } from './keys.ts';
import type { LoadedYaml } from './load-yaml.ts';
import type { KeyPath } from './locate.ts';
import { isMapping, valueAt } from './overrides.ts';

/** Where values come from, besides the defaults of the keys. */
export interface ConfigSource extends LoadedYaml {
  /** Environment variables by name, for keys that have one. */
  environment?: NodeJS.ProcessEnv;
}

/**
 * Layers a configuration (defaults ← file ← `key=value`; defaults ← environment) and checks all of it. Throws one
 * UserError with every problem found, one a line, each beginning with its place.
 * @param check what no single key can know: it sees the values that passed and returns what is wrong between them.
 */
export async function loadConfig<K extends ConfigKeys>(
  keys: K,
  source: ConfigSource,
  check: (parts: CheckedParts<K>) => Problem[] | Promise<Problem[]> = () => [],
): Promise<ConfigOf<K>> {
  const problems = findUnknownKeys(keys, source.value);
  const checked = checkLayers(keys, source, problems);
  const config = nest(keys, checked) as CheckedParts<K> & ConfigOf<K>;
  problems.push(...(await check(config)));
  if (problems.length > 0) throw new UserError(formatProblems(problems, source));
  return config;
}

/** Checks every key by a convict format that notes problems and passed values, by dotted key, and never changes one. */
function checkLayers(keys: ConfigKeys, source: ConfigSource, problems: Problem[]): Map<string, unknown> {
  const checked = new Map<string, unknown>();
  for (const { path, key } of listKeys(keys)) {
    convict.addFormat({
      name: formatOf(path),
      validate: (boxed: unknown) => checkValue(key, path, unbox(boxed), checked, problems),
    });
  }
  const layers = convict(declare(keys) as convict.Schema<Record<string, unknown>>, {
    env: source.environment ?? {},
    args: [],
  });
  for (const { path } of listKeys(keys)) {
    const value = valueAt(source.value, path);
    if (value !== undefined) layers.set(path.join('.'), box(value));
  }
  layers.validate({ allowed: 'strict' });
  return checked;
}

function checkValue(
  key: ConfigKey<unknown>,
  path: KeyPath,
  value: unknown,
  checked: Map<string, unknown>,
  problems: Problem[],
): void {
  if (key.optional && value === null) return;
  const schema = typeof key.schema === 'function' ? key.schema(value) : key.schema;
  const result = schema.safeParse(value ?? undefined);
  if (result.success) checked.set(path.join('.'), result.data);
  else problems.push(...result.error.issues.flatMap((issue) => describeIssue(issue, path, value ?? undefined, schema)));
}

/**
 * The keys as convict declares them. Each has a format of its own name: beside a format function, convict would turn
 * text into the default's type before anyone could refuse it.
 */
function declare(keys: ConfigKeys, above: readonly string[] = []): Record<string, unknown> {
  const entries = Object.entries(keys).map(([name, entry]) => {
    const path = [...above, name];
    if (!isKey(entry)) return [name, declare(entry, path)];
    const { doc, default: value, env } = entry;
    return [name, { doc, default: box(value), format: formatOf(path), ...(env === undefined ? {} : { env }) }];
  });
  return Object.fromEntries(entries);
}

/** Convict looks into mappings for keys of its own, but never into lists, so every value travels in a list of one. */
function box(value: unknown): unknown[] {
  return [value];
}

/** The value again; one from the environment comes as bare text. */
function unbox(boxed: unknown): unknown {
  return Array.isArray(boxed) ? boxed[0] : boxed;
}

function formatOf(path: KeyPath): string {
  return `key ${path.join('.')}`;
}

/** Keys of the file that nothing declares, and groups that are no mapping. */
function findUnknownKeys(keys: ConfigKeys, value: unknown, above: KeyPath = [], all = dottedKeys(keys)): Problem[] {
  if (!isMapping(value)) {
    const what = above.length === 0 ? 'the file' : above.join('.');
    return value === undefined ? [] : [{ path: above, sentence: expected('a mapping of keys', what, value) }];
  }
  return Object.entries(value).flatMap(([name, inner]) => {
    const entry = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (entry === undefined) return [unknownKey([...above, name], Object.keys(keys), all)];
    return isKey(entry) ? [] : findUnknownKeys(entry, inner, [...above, name], all);
  });
}

/** Every dotted key, one level into the schemas: what a key at a wrong place may have meant. */
function dottedKeys(keys: ConfigKeys): string[] {
  return listKeys(keys).flatMap(({ path, key }) => {
    const dotted = path.join('.');
    const inside = typeof key.schema === 'function' ? [] : keysOf(key.schema);
    return [dotted, ...inside.filter((name) => name !== 'name').map((name) => `${dotted}.${name}`)];
  });
}

function nest(keys: ConfigKeys, checked: Map<string, unknown>, above: readonly string[] = []): Record<string, unknown> {
  const entries = Object.entries(keys).map(([name, entry]): [string, unknown] => {
    const path = [...above, name];
    return [name, isKey(entry) ? checked.get(path.join('.')) : nest(entry, checked, path)];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function formatProblems(problems: readonly Problem[], source: ConfigSource): string {
  const lines = problems.map(({ path, sentence }) => `${source.locate(path)}: ${sentence}`);
  return lines.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).join('\n');
}
