import { didYouMean } from '../config/nearest.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Command, CommandArgs } from './command.ts';
import { readSwitch } from './values.ts';

/** The words after a command's name, told apart. */
export type TypedWords = Pick<CommandArgs, 'words' | 'values'>;

/**
 * Tells bare words from `key=value` ones; `json`, which every command takes, is left out. Throws UserError for flags, which npm would keep
 * for itself, and for a `json` that is neither true nor false.
 */
export function readWords(typed: readonly string[]): TypedWords {
  const words: string[] = [];
  const values: Record<string, string> = Object.create(null);
  for (const word of typed) {
    const flag = /^--?([A-Za-z][\w.-]*)(?:=(.*))?$/.exec(word);
    if (flag !== null) throw new UserError(flagSentence(word, flag[1]!, flag[2]));
    const pair = /^([^=/\\]+)=(.*)$/s.exec(word);
    if (pair === null) words.push(word);
    else values[pair[1]!] = pair[2]!;
  }
  const { json, ...rest } = values;
  readSwitch('json', json);
  return { words, values: rest };
}

/** Throws UserError where a command has too few or too many words, or a key that it does not take. */
export function checkWords(command: Command, { words, values }: TypedWords): void {
  const places = wordsOf(command.usage);
  const missing = places.filter((place) => place.startsWith('<'))[words.length];
  const hint = `Usage: ${usageLine(command)}`;
  if (missing !== undefined)
    throw new UserError(`Expected ${missing} for ${command.name} but received nothing. ${hint}`);
  const unlimited = places.some((place) => place.includes('…'));
  if (!unlimited && words.length > places.length) {
    const most = `at most ${places.length} ${places.length === 1 ? 'word' : 'words'}`;
    throw new UserError(expected(most, command.name, words, hint));
  }
  if (command.overrides) return;
  const known = Object.keys(command.keys);
  const unknown = Object.keys(values).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const what = known.length === 0 ? 'no keys but json' : `one of ${[...known, 'json'].join(', ')}`;
  throw new UserError(expected(what, `a key of ${command.name}`, unknown, didYouMean(unknown, known) || hint));
}

/** How a command is typed. */
export function usageLine(command: Command): string {
  return `npm run ${command.name} ${command.usage}`.trimEnd();
}

/** The places of bare words in a usage: `<needed>` and `[optional]`, with `…` for any number. */
function wordsOf(usage: string): string[] {
  const places = usage.match(/<[^>]*>|\[[^\]]*\]|[^\s<[]+(?:<[^>]*>)?/g) ?? [];
  return places.filter((place) => /^[<[]/.test(place) && !place.includes('='));
}

function flagSentence(word: string, name: string, value = 'true'): string {
  const next = `Words are bare, since npm keeps flags for itself: ${name.replaceAll('-', '_')}=${value}`;
  return expected('key=value', 'the command line', word, next);
}
