import { readFile } from 'node:fs/promises';
import { decodeElements, ELEMENT_BYTES, type ElementType } from './elements.ts';
import { expected } from './errors.ts';

/** Arrays by name, in a fixed order: weights, optimizer slots, averages. */
export type NamedTensors = Map<string, { shape: number[]; data: Float32Array }>;

/** Sums that must come back to the last bit. */
export type NamedDoubles = Map<string, { shape: number[]; data: Float64Array }>;

const HEADER_LENGTH_BYTES = 8;

/**
 * Arrays as a safetensors file (https://huggingface.co/docs/safetensors, "Format"): the header's length as u64 little-
 * endian, the header as JSON padded with spaces to 8 bytes, then the arrays one after another, F32 or F64 little-endian.
 */
export function encodeSafetensors(tensors: NamedTensors | NamedDoubles): Uint8Array {
  const header: Record<string, object> = {};
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    const dtype = data instanceof Float64Array ? 'F64' : 'F32';
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = JSON.stringify(header);
  const text = json.padEnd(Math.ceil(Buffer.byteLength(json) / 8) * 8 - Buffer.byteLength(json) + json.length);
  const start = HEADER_LENGTH_BYTES + Buffer.byteLength(text);
  const bytes = new Uint8Array(start + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - HEADER_LENGTH_BYTES), true);
  bytes.set(Buffer.from(text), HEADER_LENGTH_BYTES);
  let position = start;
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return bytes;
}

/** Reads such a file, arrays of any type as float32. Throws where the header or a length does not fit, naming the file. */
export async function readSafetensors(path: string): Promise<NamedTensors> {
  return await readArrays(path, (bytes, dtype) => decodeElements(bytes, dtype));
}

/** Reads a file of F64 arrays as they are. Throws where the header, a length or a type does not fit, naming the file. */
export async function readSafetensorsDoubles(path: string): Promise<NamedDoubles> {
  return await readArrays(path, (bytes, dtype) => {
    if (dtype !== 'F64') throw new Error(expected('arrays of F64', path, dtype));
    return new Float64Array(Uint8Array.from(bytes).buffer);
  });
}

type Decode<T> = (bytes: Buffer, dtype: ElementType) => T;

async function readArrays<T>(path: string, decode: Decode<T>): Promise<Map<string, { shape: number[]; data: T }>> {
  const bytes = await readFile(path);
  const length = bytes.length >= HEADER_LENGTH_BYTES ? Number(bytes.readBigUInt64LE(0)) : Number.NaN;
  const start = HEADER_LENGTH_BYTES + length;
  if (!(start <= bytes.length)) throw new Error(`Expected a safetensors file at ${path} but its header is cut off.`);
  const header = JSON.parse(bytes.toString('utf8', HEADER_LENGTH_BYTES, start)) as Record<string, TensorHeader>;
  const tensors = new Map<string, { shape: number[]; data: T }>();
  for (const [name, tensor] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const found = sliceTensor(bytes.subarray(start), name, tensor, path);
    tensors.set(name, { shape: tensor.shape, data: decode(found, tensor.dtype as ElementType) });
  }
  return tensors;
}

interface TensorHeader {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The bytes of one array. */
function sliceTensor(
  body: Buffer,
  name: string,
  { dtype, shape, data_offsets: [from, to] }: TensorHeader,
  path: string,
): Buffer {
  const elements = shape.reduce((product, side) => product * side, 1);
  const bytes = (ELEMENT_BYTES[dtype as ElementType] ?? Number.NaN) * elements;
  if (!(from >= 0) || to - from !== bytes || to > body.length) {
    const wanted = Number.isNaN(bytes) ? 'a known type' : `${bytes} bytes of ${dtype}`;
    throw new Error(`Expected ${wanted} for ${name} in ${path} but received ${to - from} of ${dtype}.`);
  }
  return body.subarray(from, to);
}
