import type { Rng } from '../../src/core/random.ts';

type Mutation = (bytes: Buffer, rng: Rng) => Buffer;

/** Lengths that break arithmetic. */
const LENGTHS = [0, 1, 2, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const SIZES = [0, 1, 3, 255, 4095, 8191, 8192, 20000, 32767, 65500, 65535];

/** Where damage does the most: the DICOM header, the head of the compressed stream, or anywhere. */
function placeIn(bytes: Buffer, rng: Rng): number {
  const kind = rng.integer(0, 4);
  const stream = streamStart(bytes);
  if (kind === 0) return rng.integer(0, Math.min(bytes.length, 2048) - 1);
  if (kind <= 2 && stream >= 0) return Math.min(bytes.length - 1, stream + rng.integer(0, 300));
  return rng.integer(0, bytes.length - 1);
}

/** The first JPEG or JPEG 2000 stream; -1 where there is none. */
function streamStart(bytes: Buffer): number {
  const starts = ['ffd8ff', 'ff4fff51'].map((hex) => bytes.indexOf(Buffer.from(hex, 'hex'))).filter((at) => at >= 0);
  return starts.length === 0 ? -1 : Math.min(...starts);
}

const flipBits: Mutation = (bytes, rng) => {
  for (let i = rng.chance(0.5) ? 1 : rng.integer(2, 16); i > 0; i--)
    bytes[placeIn(bytes, rng)]! ^= 1 << rng.integer(0, 7);
  return bytes;
};

const truncate: Mutation = (bytes, rng) => bytes.subarray(0, placeIn(bytes, rng));

const wrongLength: Mutation = (bytes, rng) => {
  const at = placeIn(bytes, rng) & ~1;
  const length = LENGTHS[rng.integer(0, LENGTHS.length - 1)]!;
  if (at + 4 > bytes.length) return bytes;
  if (rng.chance(0.5)) bytes.writeUInt32LE(length, at);
  else bytes.writeUInt16LE(length & 0xffff, at);
  return bytes;
};

const fillRange: Mutation = (bytes, rng) => {
  const at = placeIn(bytes, rng);
  bytes.fill([0, 0xff, 0xfe, 0x80][rng.integer(0, 3)]!, at, Math.min(at + rng.integer(1, 400), bytes.length));
  return bytes;
};

const splice: Mutation = (bytes, rng) => {
  const [from, to] = [placeIn(bytes, rng), placeIn(bytes, rng)];
  const piece = bytes.subarray(from, from + rng.integer(1, 200));
  return Buffer.concat([bytes.subarray(0, to), piece, bytes.subarray(rng.chance(0.5) ? to : to + piece.length)]);
};

/** Rows and columns in the DICOM header and, where there is one, in the stream's own: what agrees is believed. */
const declareSize: Mutation = (bytes, rng) => {
  const [rows, columns] = [SIZES[rng.integer(0, 10)]!, SIZES[rng.integer(0, 10)]!];
  for (const [element, value] of [
    [0x10, rows],
    [0x11, columns],
  ] as const) {
    const at = bytes.indexOf(Buffer.from([0x28, 0, element, 0]));
    // Explicit or implicit, the value is the ninth byte.
    if (at >= 0 && at + 10 <= bytes.length) bytes.writeUInt16LE(value, at + 8);
  }
  const stream = streamStart(bytes);
  const frame = frameStart(bytes, stream);
  if (stream >= 0 && bytes[stream + 1] === 0x4f && stream + 32 <= bytes.length) {
    bytes.writeUInt32BE(columns, stream + 8);
    bytes.writeUInt32BE(rows, stream + 12);
    if (rng.chance(0.5)) bytes.writeUInt32BE(columns, stream + 24);
    if (rng.chance(0.5)) bytes.writeUInt32BE(rows, stream + 28);
  } else if (frame >= 0) {
    bytes.writeUInt16BE(rows, frame + 5);
    bytes.writeUInt16BE(columns, frame + 7);
  }
  return bytes;
};

function frameStart(bytes: Buffer, stream: number): number {
  if (stream < 0) return -1;
  const found = [0xc0, 0xc1, 0xc3, 0xf7].map((marker) => bytes.indexOf(Buffer.from([0xff, marker, 0]), stream));
  const first = Math.min(...found.filter((at) => at >= 0), bytes.length);
  return first + 9 <= bytes.length ? first : -1;
}

/** JPEG 2000's coding parameters: layers, levels, code-blocks, precincts. */
const recode: Mutation = (bytes, rng) => {
  const at = bytes.indexOf(Buffer.from([0xff, 0x52]));
  if (at < 0) return flipBits(bytes, rng);
  for (let i = rng.integer(1, 6); i > 0; i--) {
    const place = at + 4 + rng.integer(0, 14);
    if (place < bytes.length) bytes[place] = rng.integer(0, 255);
  }
  return bytes;
};

const MUTATIONS = [flipBits, truncate, wrongLength, fillRange, splice, declareSize, recode];

/** A damaged copy of a file: one kind of damage or two, by the generator alone. */
export function mutate(file: Uint8Array, rng: Rng): Uint8Array {
  let bytes: Buffer = Buffer.from(file);
  for (let i = rng.chance(0.8) ? 1 : 2; i > 0; i--) {
    if (bytes.length > 16) bytes = MUTATIONS[rng.integer(0, MUTATIONS.length - 1)]!(bytes, rng);
  }
  return bytes;
}
