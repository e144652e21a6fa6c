import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../house/source-files.ts';

/** What the scripts in test/golden have written of this name. */
export function readGolden<T>(name: string): T {
  return JSON.parse(readFileSync(join(PROJECT, 'test/golden', name), 'utf8')) as T;
}

/** The bytes of base64 text, aligned for views of wider numbers. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

/** One of the small files of dicom-codecs.json: in every transfer syntax, with pydicom's values as int32. */
export interface CodecCase {
  name: string;
  file: string;
  /** Whether the values must be equal; lossy ones may differ by one. */
  exact: boolean;
  values: string;
}

export interface CodecGolden {
  rows: number;
  columns: number;
  files: CodecCase[];
  transforms: { name: string; file: string; grey: string }[];
  clahe: { width: number; height: number; clipLimit: number; tiles: number; image: string; result: string }[];
}

/** The largest difference between two lists of numbers of one length. */
export function mostApart(some: ArrayLike<number>, others: ArrayLike<number>): number {
  if (some.length !== others.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < some.length; i++) most = Math.max(most, Math.abs(some[i]! - others[i]!));
  return most;
}

/** The smallest and the largest of numbers. */
export function extent(values: ArrayLike<number>): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]!);
    most = Math.max(most, values[i]!);
  }
  return [least, most];
}
