import { z } from 'zod';
import { expected } from '../core/errors.ts';
import type { KeyPath } from './locate.ts';
import { didYouMean } from './nearest.ts';
import { isMapping, valueAt } from './overrides.ts';

/** Something wrong with a configuration: where, and a sentence about it. */
export interface Problem {
  path: KeyPath;
  sentence: string;
}

type Issue = z.core.$ZodIssue;

/**
 * What a schema found wrong with the value at `path`, one sentence each: `Expected … for <key> but received …`, and the
 * nearest valid word where a word was mistyped.
 */
export function describeIssue(issue: Issue, path: KeyPath, value: unknown, schema: z.ZodType): Problem[] {
  const inner = issue.path as KeyPath;
  const at = [...path, ...inner];
  const received = valueAt(value, inner);
  const chosen = issuesOfForm(issue);
  if (chosen !== undefined) return chosen.flatMap((each) => describeIssue(each, path, value, schema));
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(schemaAt(schema, value, inner), received);
    return issue.keys.map((key) => unknownKey([...at, key], known));
  }
  const where = at.join('.');
  if (received === undefined)
    return [{ path: at, sentence: `Expected ${whatOf(issue)} for ${where} but it is missing.` }];
  return [{ path: at, sentence: expected(whatOf(issue), where, received, hintOf(issue, received)) }];
}

/** Of a choice between forms (a number or a mapping): what is wrong with the form that the value has. */
function issuesOfForm(issue: Issue): Issue[] | undefined {
  if (issue.code !== 'invalid_union') return undefined;
  const hasForm = (issues: readonly Issue[]) =>
    !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0);
  const chosen = issue.errors.find((issues) => issues.length > 0 && hasForm(issues));
  return chosen?.map((each) => ({ ...each, path: [...issue.path, ...each.path] }));
}

/** An unknown key beside the known ones, which are listed when none is near; `elsewhere` are dotted keys of other places. */
export function unknownKey(path: KeyPath, known: readonly string[], elsewhere: readonly string[] = []): Problem {
  const parent = path.slice(0, -1).join('.');
  const word = String(path.at(-1));
  const where = parent === '' ? 'a top-level key' : `a key of ${parent}`;
  const nested = elsewhere.includes(word) ? `Write it nested: ${word.replace('.', ': { ')}: … }.` : '';
  const hint = nested === '' ? didYouMean(word, [...known, ...elsewhere]) : nested;
  return { path, sentence: expected(hint === '' ? oneOf(known) : 'a known name', where, word, hint) };
}

/** The keys that a schema takes: of a choice, those of the option that the value names, else those of all. */
export function keysOf(schema: z.ZodType | undefined, value?: unknown): string[] {
  const chosen = choose(schema, value);
  if (chosen instanceof z.ZodObject) return Object.keys(chosen.shape);
  if (chosen instanceof z.ZodDiscriminatedUnion) {
    return [...new Set(chosen.options.flatMap((option) => keysOf(option as z.ZodType)))];
  }
  return [];
}

function schemaAt(schema: z.ZodType, value: unknown, path: KeyPath): z.ZodType | undefined {
  let inner: z.ZodType | undefined = schema;
  path.forEach((part, depth) => {
    const chosen = choose(inner, valueAt(value, path.slice(0, depth)));
    if (chosen instanceof z.ZodObject) inner = chosen.shape[String(part)] as z.ZodType | undefined;
    else inner = chosen instanceof z.ZodArray ? (chosen.element as z.ZodType) : undefined;
  });
  return inner;
}

/** Takes off defaults, and picks from a discriminated union the option that the value names. */
function choose(schema: z.ZodType | undefined, value: unknown): z.ZodType | undefined {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return choose(schema.unwrap() as z.ZodType, value);
  }
  if (schema instanceof z.ZodUnion && !(schema instanceof z.ZodDiscriminatedUnion)) {
    return isMapping(value)
      ? (schema.options as z.ZodType[]).find((option) => option instanceof z.ZodObject)
      : undefined;
  }
  if (!(schema instanceof z.ZodDiscriminatedUnion) || !isMapping(value)) return schema;
  const name = value[schema.def.discriminator];
  return (schema.options as z.ZodType[]).find((option) => {
    const literal = option instanceof z.ZodObject ? option.shape[schema.def.discriminator] : undefined;
    return literal instanceof z.ZodLiteral && literal.values.has(name as string);
  });
}

const TYPES: Record<string, string> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  object: 'a mapping of keys',
  array: 'a list',
};

function whatOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return oneOf(issue.values.map(String));
    case 'invalid_union':
      return 'options' in issue ? oneOf((issue.options as unknown[]).map(String)) : issue.message;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'too_small':
      return amount(issue.origin, issue.inclusive ? 'at least' : 'more than', Number(issue.minimum));
    case 'too_big':
      return amount(issue.origin, issue.inclusive ? 'at most' : 'less than', Number(issue.maximum));
    default:
      return issue.message;
  }
}

function amount(origin: string, comparison: string, limit: number): string {
  if (origin === 'array') return `a list of ${comparison} ${limit} ${limit === 1 ? 'item' : 'items'}`;
  if (origin === 'string') return `text of ${comparison} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  return `a number of ${comparison} ${limit}`;
}

function hintOf(issue: Issue, received: unknown): string {
  if (issue.code === 'not_multiple_of' && typeof received === 'number') {
    const divisor = Number(issue.divisor);
    const below = Math.floor(received / divisor) * divisor;
    return below > 0 ? `The nearest are ${below} and ${below + divisor}.` : `The nearest is ${divisor}.`;
  }
  if (typeof received !== 'string') return '';
  if (issue.code === 'invalid_value') return didYouMean(received, issue.values.map(String));
  if (issue.code === 'invalid_union' && 'options' in issue) {
    return didYouMean(received, (issue.options as unknown[]).map(String));
  }
  return '';
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `one of ${words.join(', ')}`;
}
