import type { DatasetInput, Metric, Param, RunStatus, Tag } from './types.ts';
import { RUN_STATUSES } from './types.ts';

/** What the server takes in one `log-batch`, and in one value: beyond these it refuses or, worse, cuts in silence. */
export const LIMITS = {
  metrics: 1000,
  params: 100,
  tags: 100,
  bytes: 1_000_000,
  keyLength: 250,
  paramLength: 6000,
  tagLength: 8000,
  digestLength: 36,
} as const;

/**
 * A key as the server takes it: 1 to 250 of letters, digits and `_ - . / : space`, being also a clean relative path
 * (no `..`, no leading, trailing or double slash). Throws RangeError.
 */
export function checkKey(kind: string, key: string): void {
  const clean = key.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !key.startsWith('..');
  if (key.length <= LIMITS.keyLength && /^[\p{L}\p{N}_\-./: ]+$/u.test(key) && clean) return;
  const rule = `at most ${LIMITS.keyLength} letters, digits and "_-./: ", as a clean relative path`;
  throw new RangeError(`Expected ${rule}, for the key of a ${kind} but received ${JSON.stringify(key)}.`);
}

/** A metric whose step and timestamp are whole numbers; the value may be NaN or infinite. Throws RangeError. */
export function checkMetric({ key, value, timestamp, step }: Metric): void {
  checkKey('metric', key);
  if (typeof value === 'number' && Number.isSafeInteger(step) && Number.isSafeInteger(timestamp)) return;
  const received = JSON.stringify({ value: String(value), timestamp, step });
  throw new RangeError(`Expected a number at a whole step and timestamp for metric ${key} but received ${received}.`);
}

/** A param within 6,000 characters: the server would cut a longer one without saying so. Throws RangeError. */
export function checkParam({ key, value }: Param): void {
  checkKey('param', key);
  checkLength('param', key, value, LIMITS.paramLength);
}

/** A tag within 8,000 characters: the server would cut a longer one without saying so. Throws RangeError. */
export function checkTag({ key, value }: Tag): void {
  checkKey('tag', key);
  checkLength('tag', key, value, LIMITS.tagLength);
}

/** One of the five states, else RangeError: the server would answer 200 and keep the old one. */
export function checkStatus(status: RunStatus): void {
  if (RUN_STATUSES.includes(status)) return;
  throw new RangeError(`Expected one of ${RUN_STATUSES.join(', ')} for a run's status but received ${status}.`);
}

/** A data set with a name and a digest of 1 to 36 characters. Throws RangeError. */
export function checkDataset({ dataset }: DatasetInput): void {
  if (dataset.name === '') throw new RangeError('Expected a name for a dataset but received "".');
  if (dataset.digest === '') throw new RangeError(`Expected a digest for dataset ${dataset.name} but received "".`);
  checkLength('digest of dataset', dataset.name, dataset.digest, LIMITS.digestLength);
}

/**
 * A path among a run's artifacts, as URL text. Throws RangeError for `..`, `.`, empty parts, backslashes and control
 * characters: `..`, even encoded, would leave the run's folder on the server.
 */
export function encodeArtifactPath(path: string): string {
  const parts = path.split('/');
  if (parts.some((part) => !isSafePart(part))) {
    throw new RangeError(
      `Expected a clean relative path for an artifact but received ${JSON.stringify(path)}. Use a/b.txt, without "..", "." and "\\".`,
    );
  }
  return parts.map(encodeURIComponent).join('/');
}

function isSafePart(part: string): boolean {
  const decoded = decodeFully(part);
  // The server decodes once more than it should, so a part must be harmless however often it is decoded.
  return decoded !== '' && decoded !== '.' && decoded !== '..' && !/[/\\\p{Cc}]/u.test(decoded);
}

function decodeFully(part: string): string {
  let text = part;
  for (let round = 0; round < 5; round++) {
    const next = text.replace(/%[0-9a-f]{2}/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
    if (next === text) return text;
    text = next;
  }
  return '..';
}

function checkLength(kind: string, name: string, value: string, most: number): void {
  // The server counts code points (Python's len), JavaScript UTF-16 units: count as the server does.
  const length = value.length <= most ? value.length : [...value].length;
  if (length <= most) return;
  throw new RangeError(`Expected at most ${most} characters for ${kind} ${name} but received ${length}.`);
}
