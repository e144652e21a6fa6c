import { expected, UserError } from '../core/errors.ts';

/** Reads `key=true` or `key=false`. Throws UserError for anything else. */
export function readSwitch(key: string, text = 'false'): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new UserError(expected('true or false', key, text));
}

/** No key counts further. */
const MOST = 999_999_999;

/** Reads a whole number. Throws UserError where it is none, or out of its range. */
export function readWhole(key: string, text: string, least = 1, most?: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= (most ?? MOST)) return value;
  throw new UserError(expected(`a whole number from ${least}${most === undefined ? '' : ` to ${most}`}`, key, text));
}
