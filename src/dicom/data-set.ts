import dicomParser, { type ByteStream, type DataSet, type Element } from 'dicom-parser';
import { messageOf, UserError } from '../core/errors.ts';
import type { Container } from './container.ts';
import { EXPLICIT_BIG_ENDIAN, IMPLICIT_LITTLE_ENDIAN } from './transfer-syntaxes.ts';

/** Where the pixels begin; what lies behind them (padding, signatures) is not read. */
export const PIXEL_DATA = 'x7fe00010';

/** Honest headers have some hundreds of elements; a file of nothing but empty ones would fill the memory. */
const MOST_READS = 200_000;

const TOO_LONG = 'an element is longer than what holds it';

/** A stream of header bytes that ends after so many reads. */
class BoundedStream extends dicomParser.ByteStream {
  reads = 0;

  override readUint16: ByteStream['readUint16'] = () => {
    this.reads += 1;
    if (this.reads > MOST_READS) throw new Error('more elements than any honest header has');
    this.requireBytes(2);
    const value = this.byteArrayParser.readUint16(this.byteArray, this.position);
    this.position += 2;
    return value;
  };

  private requireBytes(count: number): void {
    if (this.position + count > this.byteArray.length) throw new Error('the file ends here');
  }
}

/**
 * Reads the elements of a data set (PS3.5, 7.1) up to the pixel data.
 * Throws UserError naming the byte and the last element read where it is damaged, cut short, nests its sequences deeper
 * than the stack, or has more elements than any honest header.
 */
export function readDataSet({ bytes, start, transferSyntax, where }: Container): DataSet {
  if (start >= bytes.length) throw damaged(where, start, 'the file ends here', undefined);
  const bigEndian = transferSyntax === EXPLICIT_BIG_ENDIAN;
  const parser = bigEndian ? dicomParser.bigEndianByteArrayParser : dicomParser.littleEndianByteArrayParser;
  const stream = new BoundedStream(parser, bytes, start);
  const dataSet = emptyDataSet(stream);
  const implicit = transferSyntax === IMPLICIT_LITTLE_ENDIAN;
  const parse = implicit ? dicomParser.parseDicomDataSetImplicit : dicomParser.parseDicomDataSetExplicit;
  try {
    parse(dataSet, stream, bytes.length, { untilTag: PIXEL_DATA });
  } catch (thrown) {
    throw damaged(where, Math.min(stream.position, bytes.length), reasonOf(thrown), lastElement(dataSet), thrown);
  }
  // dicom-parser steps over a value without looking whether the file is that long.
  if (stream.position > bytes.length) {
    throw damaged(where, bytes.length, TOO_LONG, lastElement(dataSet));
  }
  return dataSet;
}

/** `x7fe00010` as people write it: (7FE0,0010). */
export function formatTag(tag: string): string {
  return `(${tag.slice(1, 5)},${tag.slice(5, 9)})`.toUpperCase();
}

/** dicom-parser exports its DataSet class without declaring it as one. */
function emptyDataSet(stream: ByteStream): DataSet {
  const { DataSet: Constructor } = dicomParser as unknown as {
    DataSet: new (parser: unknown, bytes: unknown, elements: object) => DataSet;
  };
  const dataSet = new Constructor(stream.byteArrayParser, stream.byteArray, {});
  dataSet.warnings = stream.warnings;
  return dataSet;
}

function lastElement(dataSet: DataSet): Element | undefined {
  return Object.values(dataSet.elements).at(-1);
}

/** dicom-parser throws strings, bare objects and errors of its own making: all become one sentence. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof RangeError) return 'sequences nest too deep';
  const reason = messageOf(thrown).replace(/^(dicomParser|littleEndian|bigEndian)[\w.:]* ?/, '');
  return reason === 'buffer overrun' ? TOO_LONG : reason;
}

function damaged(where: string, at: number, reason: string, last: Element | undefined, cause?: unknown): UserError {
  const after = last === undefined ? '' : `, after element ${formatTag(last.tag)}`;
  const sentence = `${where}: damaged or cut short DICOM header at byte ${at}${after}: ${reason}`;
  return new UserError(sentence, cause === undefined ? {} : { cause });
}
