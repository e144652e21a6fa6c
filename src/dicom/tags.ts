import type { DataSet } from 'dicom-parser';
import { expected, UserError } from '../core/errors.ts';
import { formatTag } from './data-set.ts';

/** Reads values of a data set by tag (`x00280010`); undefined, or '' for text, where absent or too short. */
export interface Tags {
  text(tag: string): string;
  /** The first of a decimal or integer string's numbers; undefined where it is not a finite number. */
  number(tag: string): number | undefined;
  uint16(tag: string): number | undefined;
  int16(tag: string): number | undefined;
}

/** No text that the harness reads is longer by the standard; more is damage, and would go into every table. */
const MOST_TEXT = 1024;

/** Readers that check an element's length before they read it. `text` throws UserError beyond 1,024 bytes. */
export function readTags(dataSet: DataSet, where: string): Tags {
  const has = (tag: string, bytes: number) => (dataSet.elements[tag]?.length ?? 0) >= bytes;
  const text = (tag: string) => {
    const length = dataSet.elements[tag]?.length ?? 0;
    if (length > MOST_TEXT) {
      throw new UserError(expected(`at most ${MOST_TEXT} bytes`, `${formatTag(tag)} of ${where}`, length));
    }
    return dataSet.string(tag) ?? '';
  };
  return {
    text,
    number: (tag) => {
      const value = Number.parseFloat(text(tag).split('\\')[0]!);
      return Number.isFinite(value) ? value : undefined;
    },
    uint16: (tag) => (has(tag, 2) ? dataSet.uint16(tag) : undefined),
    int16: (tag) => (has(tag, 2) ? dataSet.int16(tag) : undefined),
  };
}
