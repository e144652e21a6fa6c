import { readFile } from 'node:fs/promises';
import { decodeElements, ELEMENT_BYTES, type ElementType } from '../../core/elements.ts';
import { expected } from '../../core/errors.ts';
import type { NamedTensors } from '../../core/safetensors.ts';
import { type PickleFunction, type PickleWorld, readPickle } from './pickle.ts';
import { readZip } from './zip-file.ts';

/** Elements one after another, of which tensors are views. */
interface Storage {
  key: string;
  type: ElementType;
}

/** A view on a storage, in elements. */
class Tensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: number[];
  readonly strides: number[];

  constructor(storage: Storage, offset: number, shape: number[], strides: number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const STORAGE_TYPES: Readonly<Record<string, ElementType>> = {
  'torch.FloatStorage': 'F32',
  'torch.DoubleStorage': 'F64',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};

/** Under these keys training scripts keep the weights beside other things. */
const WEIGHT_KEYS = ['state_dict', 'model_state_dict', 'model'];
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/**
 * The tensors of what `torch.save` wrote (serialization.py): a ZIP archive since PyTorch 1.6, one pickle after another
 * before. Takes a state_dict, or one under `state_dict`, `model_state_dict` or `model`. Nothing in the file is run: a
 * pickle that names anything but tensors and plain containers is refused. Numbers become float32.
 */
export async function readTorchFile(path: string, isZip: boolean): Promise<NamedTensors> {
  const { value, bytesOf } = isZip ? await readArchive(path) : readLegacy(await readFile(path));
  const arrays: NamedTensors = new Map();
  for (const [name, tensor] of findStateDict(value)) {
    arrays.set(name, { shape: tensor.shape, data: gather(tensor, bytesOf(tensor.storage.key), name) });
  }
  return arrays;
}

interface Unpickled {
  value: unknown;
  bytesOf(key: string): Uint8Array;
}

async function readArchive(path: string): Promise<Unpickled> {
  const files = await readZip(path, (name) => /(^|\/)(data\.pkl|byteorder|data\/[^/]+)$/.test(name));
  const pickle = [...files.keys()].find((name) => name.endsWith('data.pkl'));
  if (pickle === undefined) throw new Error('Expected a data.pkl in the archive but there is none.');
  const prefix = pickle.slice(0, -'data.pkl'.length);
  const order = files.get(`${prefix}byteorder`)?.toString() ?? 'little';
  if (order !== 'little') throw new Error(expected('little', 'the byte order of the archive', order));
  const { value } = readPickle(files.get(pickle)!, 0, createWorld(new Map()));
  return { value, bytesOf: (key) => files.get(`${prefix}data/${key}`) ?? new Uint8Array() };
}

/** Magic number, version, the machine that wrote it, the object, the storages' keys, then each storage with its length. */
function readLegacy(bytes: Buffer): Unpickled {
  let at = 0;
  const types = new Map<string, ElementType>();
  const world = createWorld(types);
  const next = (): unknown => {
    const { value, end } = readPickle(bytes, at, world);
    at = end;
    return value;
  };
  if (next() !== LEGACY_MAGIC) throw new Error('Expected a file of torch.save but received another pickle.');
  const version = next();
  if (version !== LEGACY_PROTOCOL) throw new Error(expected(String(LEGACY_PROTOCOL), 'its version', version));
  const machine = next() as Map<string, unknown>;
  if (machine.get('little_endian') !== true) throw new Error('Expected little-endian numbers but received others.');
  const value = next();
  const storages = new Map<string, Uint8Array>();
  for (const key of next() as string[]) {
    const length = Number(bytes.readBigInt64LE(at)) * ELEMENT_BYTES[types.get(key)!];
    storages.set(key, bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return { value, bytesOf: (key) => storages.get(key) ?? new Uint8Array() };
}

const GLOBALS: Readonly<Record<string, PickleFunction>> = {
  'collections.OrderedDict': () => new Map(),
  'torch._utils._rebuild_tensor_v2': (storage, offset, shape, strides) =>
    new Tensor(storage as Storage, offset as number, shape as number[], strides as number[]),
  'torch._utils._rebuild_parameter': (tensor) => tensor,
};

/** What the pickles of such a file may name; fills in the types of the storages that they refer to. */
function createWorld(types: Map<string, ElementType>): PickleWorld {
  return {
    findGlobal: (name) => {
      const type = STORAGE_TYPES[name];
      const found = type === undefined ? GLOBALS[name] : () => type;
      if (found !== undefined) return found;
      const next = 'Save the weights alone: torch.save(model.state_dict(), path), or as safetensors.';
      throw new Error(expected('tensors and plain containers', 'the objects in the file', name, next));
    },
    findPersistent: (id) => {
      const [kind, typeOf, key, , , view] = Array.isArray(id) ? id : [];
      if (kind !== 'storage' || (view !== undefined && view !== null)) {
        throw new Error(expected('a whole storage', 'a reference in the pickle', id));
      }
      const storage: Storage = { key: String(key), type: (typeOf as () => ElementType)() };
      types.set(storage.key, storage.type);
      return storage;
    },
  };
}

function findStateDict(value: unknown): Map<string, Tensor> {
  if (!(value instanceof Map)) throw new Error('Expected a state_dict in the file but received another object.');
  const inner = WEIGHT_KEYS.map((key) => value.get(key)).find((candidate) => candidate instanceof Map);
  const entries = [...(inner ?? value)] as [string, unknown][];
  const tensors = entries.filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor);
  if (tensors.length === 0) throw new Error('Expected tensors in the state_dict but there are none.');
  // Networks that ran on several devices are wrapped.
  const wrapped = tensors.every(([name]) => name.startsWith('module.'));
  return new Map(tensors.map(([name, tensor]) => [wrapped ? name.slice('module.'.length) : name, tensor]));
}

/** The elements of a view in the order of its axes. Throws where it reaches beyond its storage. */
function gather({ storage, offset, shape, strides }: Tensor, bytes: Uint8Array, name: string): Float32Array {
  const size = ELEMENT_BYTES[storage.type];
  const count = shape.reduce((product, side) => product * side, 1);
  const last = shape.reduce((place, side, axis) => place + (side - 1) * strides[axis]!, offset);
  const needed = Math.max(last + 1, count) * size;
  if (!(offset >= 0) || strides.some((stride) => stride < 0) || !(needed <= bytes.length)) {
    throw new Error(expected(`${needed} bytes`, `the storage of ${name}`, bytes.length));
  }
  const all = decodeElements(bytes.subarray(offset * size, (last + 1) * size), storage.type);
  const rowMajor = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));
  if (shape.every((side, axis) => side === 1 || strides[axis] === rowMajor[axis])) return all;
  const gathered = new Float32Array(count);
  const place = shape.map(() => 0);
  for (let i = 0; i < count; i++) {
    gathered[i] = all[place.reduce((at, index, axis) => at + index * strides[axis]!, 0)]!;
    for (let axis = shape.length - 1; axis >= 0 && ++place[axis]! === shape[axis]; axis--) place[axis] = 0;
  }
  return gathered;
}
