import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Document, LineCounter, parseDocument, type YAMLError } from 'yaml';
import { expected, messageOf, UserError } from '../core/errors.ts';
import { isCollectionAt, type KeyPath, lineOf, startsWith } from './locate.ts';
import { didYouMean } from './nearest.ts';
import { isMapping, type Override, readOverride, setAt } from './overrides.ts';
import { resolvePath } from './paths.ts';

/** A configuration as typed: the file with the command line's `key=value` words laid over it, nothing checked yet. */
export interface LoadedYaml {
  value: unknown;
  /** Where a value was typed: `experiments/x.yml:12` or `command line (lr_schedule.lr=5e-4)`. */
  locate(path: KeyPath): string;
}

/** A top-level mapping of dotted keys to other values, which are laid over the rest of the file where they are wanted. */
export interface Variant {
  name: string;
  wanted: boolean;
}

/**
 * Reads a YAML 1.2 file and lays `key=value` words over it: dotted keys, list items by index, values in YAML.
 * Throws UserError with file:line:column for every error of syntax and every key given twice, and for a file that
 * cannot be read.
 * @param path as the user typed it, which is how messages show it.
 * @param variant what the file may say of itself in another form; words are laid over that too
 * @param from what the words are of
 */
export function loadYaml(
  path: string,
  overrides: Readonly<Record<string, string>> = {},
  cwd?: string,
  variant?: Variant,
  from = 'command line',
): LoadedYaml {
  const text = readText(path, resolvePath(path, cwd));
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    throw new UserError(problems.map((problem) => describeSyntax(problem, path, text, lines)).join('\n'));
  }
  const lineAt = (at: KeyPath) => `${path}:${lineOf(document, lines, at)}`;
  const { value, changes } = takeVariant(readValue(document, path), variant, lineAt);
  const typed = Object.entries(overrides).map(([key, value]) => readOverride(key, value));
  const laidOver = [...changes, ...typed];
  return {
    value: laidOver.reduce(setAt, value),
    locate: (at) => {
      const word = wordBehind(at, laidOver, isCollectionAt(document, at));
      if (word === undefined) return lineAt(at);
      return changes.includes(word) ? lineAt([variant!.name, word.text]) : `${from} (${word.text})`;
    },
  };
}

/** The file without its variant, and what the variant changes where it is wanted. */
function takeVariant(
  whole: unknown,
  variant: Variant | undefined,
  lineAt: (at: KeyPath) => string,
): { value: unknown; changes: Override[] } {
  if (variant === undefined || !isMapping(whole)) return { value: whole, changes: [] };
  const { [variant.name]: section, ...value } = whole;
  if (section === undefined && variant.wanted) {
    const { name } = variant;
    throw new UserError(
      `${lineAt([])}: Expected a mapping ${name} of keys to values for ${name}=true but received none.`,
    );
  }
  if (section !== undefined && !isMapping(section)) {
    throw new UserError(`${lineAt([variant.name])}: ${expected('a mapping of keys to values', variant.name, section)}`);
  }
  if (!variant.wanted || section === undefined) return { value, changes: [] };
  return {
    value,
    changes: Object.entries(section).map(([key, to]) => ({ path: key.split('.'), value: to, text: key })),
  };
}

/** The plain value; an alias without its anchor is only found here. */
function readValue(document: Document, path: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new UserError(`${path}: ${messageOf(error)}.`, { cause: error });
  }
}

/** The last word that set a value, or made what holds it where the file has nothing to hold. */
function wordBehind(at: KeyPath, typed: readonly Override[], heldByFile: boolean): Override | undefined {
  const above = typed.findLast((word) => startsWith(at, word.path));
  if (above !== undefined || heldByFile || at.length === 0) return above;
  return typed.findLast((word) => startsWith(word.path, at));
}

function describeSyntax(problem: YAMLError, path: string, text: string, lines: LineCounter): string {
  const start = problem.pos[0];
  const { line, col } = lines.linePos(start);
  const place = `${path}:${line}:${col}`;
  if (problem.code !== 'DUPLICATE_KEY') return `${place}: ${problem.message}.`;
  const key = text.slice(start).split(/[:\s]/, 1)[0];
  return `${place}: Expected every key once but received ${key} again.`;
}

/** Throws UserError for a file that cannot be read, naming a neighbour that was probably meant. */
function readText(path: string, absolute: string): string {
  try {
    return readFileSync(absolute, 'utf8');
  } catch (error) {
    const neighbours = siblings(absolute).map((name) => join(dirname(path), name));
    const hint = didYouMean(join(dirname(path), basename(path)), neighbours);
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : messageOf(error);
    throw new UserError(expected('a readable YAML file', path, reason, hint), { cause: error });
  }
}

function siblings(absolute: string): string[] {
  try {
    return readdirSync(dirname(absolute)).filter((name) => /\.ya?ml$/.test(name));
  } catch {
    return [];
  }
}
