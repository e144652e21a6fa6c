/**
 * Protocol Buffers on the wire (https://protobuf.dev/programming-guides/encoding): just enough to write a graph, and TensorBoard's events.
 * A message is the concatenation of its fields.
 */

/** A field of whole-number type (wire type 0). Negative numbers take ten bytes, as int64 does. */
export function varintField(field: number, value: number | bigint): Uint8Array {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

/** A field of bytes, text or a message (wire type 2). */
export function bytesField(field: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

/** A field of type float (wire type 5). */
export function floatField(field: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), bytes]);
}

/** A field of type double (wire type 1). */
export function doubleField(field: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint((field << 3) | 1), bytes]);
}

/** A message of its fields. */
export function message(...fields: Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

/** Seven bits a byte, lowest first, the top bit set on all but the last. */
export function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}
