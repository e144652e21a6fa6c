import { stringify } from 'yaml';

/**
 * A configuration as dotted keys and text, in its own order: `augment.0.p` → `0.5`. Empty lists are `[]`, and what is
 * undefined is left out.
 */
export function flattenConfig(config: object): Record<string, string> {
  return Object.fromEntries(Object.entries(config).flatMap(([key, value]) => flatten(key, value)));
}

/** The resolved configuration as YAML that reads back as the same configuration. */
export function formatConfig(config: object): string {
  return stringify(config, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Dotted keys beside their values, one a line, for a terminal. */
export function configTable(config: object): string {
  const rows = Object.entries(flattenConfig(config));
  const width = Math.max(...rows.map(([key]) => key.length));
  return rows.map(([key, value]) => `  ${key.padEnd(width)}  ${value}`).join('\n');
}

function flatten(key: string, value: unknown): [string, string][] {
  if (value === undefined) return [];
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (inner.length > 0) return inner.flatMap(([part, item]) => flatten(`${key}.${part}`, item));
  return [[key, typeof value === 'string' ? value : JSON.stringify(value)]];
}
