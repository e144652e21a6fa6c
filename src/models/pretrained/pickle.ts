import { expected } from '../../core/errors.ts';

/** What a pickle may ask for beyond plain values. Everything else is refused, so that reading a file never runs its code. */
export interface PickleWorld {
  /** The function that stands for a name such as `collections.OrderedDict`. Throws where the name is not allowed. */
  findGlobal(name: string): PickleFunction;
  /** The object that lies outside of the pickle under this identification. */
  findPersistent(id: unknown): unknown;
}
export type PickleFunction = (...args: unknown[]) => unknown;

/** Dictionaries become Maps, lists and tuples arrays, whole numbers beyond 2⁵³ bigints. */
interface Machine {
  readonly bytes: Buffer;
  at: number;
  stack: unknown[];
  /** Stacks beneath the marks. */
  readonly marks: unknown[][];
  readonly memo: Map<number, unknown>;
  readonly world: PickleWorld;
}

/**
 * Reads one pickle (Python's pickletools.py, protocols 2 to 4): those operations that write plain values, containers and
 * tensors. Returns the value and where the pickle ends. Throws at any other operation and where the bytes end too early.
 */
export function readPickle(bytes: Buffer, start: number, world: PickleWorld): { value: unknown; end: number } {
  const machine: Machine = { bytes, at: start, stack: [], marks: [], memo: new Map(), world };
  for (;;) {
    const code = bytes.readUInt8(machine.at++);
    if (code === STOP) return { value: pop(machine), end: machine.at };
    const operation = OPERATIONS[code];
    if (operation === undefined) {
      throw new Error(expected('an operation of a plain pickle', `byte ${machine.at - 1}`, `0x${code.toString(16)}`));
    }
    operation(machine);
  }
}

const STOP = 0x2e;

const OPERATIONS: Readonly<Record<number, (machine: Machine) => void>> = {
  // Framing.
  128: (m) => void take(m, 1),
  149: (m) => void take(m, 8),
  // Plain values: None, True, False, whole numbers of 1, 2, 4 and n bytes, float64, text.
  78: (m) => push(m, null),
  136: (m) => push(m, true),
  137: (m) => push(m, false),
  75: (m) => push(m, take(m, 1).readUInt8()),
  77: (m) => push(m, take(m, 2).readUInt16LE()),
  74: (m) => push(m, take(m, 4).readInt32LE()),
  138: (m) => push(m, readLong(take(m, take(m, 1).readUInt8()))),
  71: (m) => push(m, take(m, 8).readDoubleBE()),
  88: (m) => push(m, take(m, take(m, 4).readUInt32LE()).toString('utf8')),
  140: (m) => push(m, take(m, take(m, 1).readUInt8()).toString('utf8')),
  85: (m) => push(m, take(m, take(m, 1).readUInt8()).toString('latin1')),
  // Containers: MARK, tuples, lists, dictionaries.
  40: (m) => {
    m.marks.push(m.stack);
    m.stack = [];
  },
  41: (m) => push(m, []),
  133: (m) => push(m, m.stack.splice(-1)),
  134: (m) => push(m, m.stack.splice(-2)),
  135: (m) => push(m, m.stack.splice(-3)),
  116: (m) => push(m, takeMarked(m)),
  93: (m) => push(m, []),
  97: (m) => append(m, [pop(m)]),
  101: (m) => append(m, takeMarked(m)),
  125: (m) => push(m, new Map()),
  115: (m) => setItems(m, m.stack.splice(-2)),
  117: (m) => setItems(m, takeMarked(m)),
  // The memo: BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET.
  113: (m) => remember(m, take(m, 1).readUInt8()),
  114: (m) => remember(m, take(m, 4).readUInt32LE()),
  148: (m) => remember(m, m.memo.size),
  104: (m) => push(m, m.memo.get(take(m, 1).readUInt8())),
  106: (m) => push(m, m.memo.get(take(m, 4).readUInt32LE())),
  // Names and what is made by them: GLOBAL, STACK_GLOBAL, REDUCE, BUILD, BINPERSID.
  99: (m) => push(m, m.world.findGlobal(`${readLine(m)}.${readLine(m)}`)),
  147: (m) => push(m, m.world.findGlobal(m.stack.splice(-2).join('.'))),
  82: (m) => {
    const [made, args] = m.stack.splice(-2);
    push(m, (made as PickleFunction)(...(args as unknown[])));
  },
  // Attributes of an object, such as the versions of a state_dict: nothing that is read needs them.
  98: (m) => void pop(m),
  81: (m) => push(m, m.world.findPersistent(pop(m))),
};

function push(machine: Machine, value: unknown): void {
  machine.stack.push(value);
}

function pop(machine: Machine): unknown {
  if (machine.stack.length === 0) throw new Error(`Expected a value before byte ${machine.at} but there is none.`);
  return machine.stack.pop();
}

function take(machine: Machine, count: number): Buffer {
  const end = machine.at + count;
  if (end > machine.bytes.length) throw new Error(`Expected ${count} bytes at ${machine.at} but the pickle ends.`);
  const taken = machine.bytes.subarray(machine.at, end);
  machine.at = end;
  return taken;
}

/** What lies above the last mark. */
function takeMarked(machine: Machine): unknown[] {
  const marked = machine.stack;
  machine.stack = machine.marks.pop() ?? [];
  return marked;
}

function append(machine: Machine, items: readonly unknown[]): void {
  const list = machine.stack.at(-1);
  if (!Array.isArray(list)) throw new Error(`Expected a list before byte ${machine.at} but received another value.`);
  for (const item of items) list.push(item);
}

function setItems(machine: Machine, pairs: readonly unknown[]): void {
  const map = machine.stack.at(-1);
  if (!(map instanceof Map))
    throw new Error(`Expected a dictionary before byte ${machine.at} but received another value.`);
  for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
}

function remember(machine: Machine, key: number): void {
  machine.memo.set(key, machine.stack.at(-1));
}

function readLine(machine: Machine): string {
  const end = machine.bytes.indexOf(0x0a, machine.at);
  if (end < 0) throw new Error(`Expected a line at byte ${machine.at} but the pickle ends.`);
  return take(machine, end + 1 - machine.at)
    .toString('utf8')
    .trimEnd();
}

/** A whole number in two's complement, lowest byte first. */
function readLong(bytes: Buffer): number | bigint {
  const value = [...bytes].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  return signed >= Number.MIN_SAFE_INTEGER && signed <= Number.MAX_SAFE_INTEGER ? Number(signed) : signed;
}
