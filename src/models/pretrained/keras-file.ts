import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset, Group } from 'h5wasm/node';
import { expected } from '../../core/errors.ts';
import type { NamedTensors } from '../../core/safetensors.ts';
import { readZip } from './zip-file.ts';

/** The weights in a `.keras` archive. */
const ARCHIVED = 'model.weights.h5';

/** The weights of a model that Keras 3 saved as `.keras`, as readKerasHdf5 gives them. */
export async function readKerasArchive(path: string): Promise<NamedTensors> {
  const weights = (await readZip(path, (name) => name === ARCHIVED)).get(ARCHIVED);
  if (weights === undefined) throw new Error(`Expected a ${ARCHIVED} in the archive but there is none.`);
  const folder = await mkdtemp(join(tmpdir(), 'keras-weights-'));
  try {
    const unpacked = join(folder, ARCHIVED);
    await writeFile(unpacked, weights);
    return await readKerasHdf5(unpacked);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * The weights of an HDF5 file of Keras by name: `<layer>/<weight>` of `.h5` (Keras 1 to 3), where names are stored, and
 * `<layer>/<place in the layer>` of Keras 3's `.weights.h5`, where only layers have names. Throws where a file has none.
 */
export async function readKerasHdf5(path: string): Promise<NamedTensors> {
  const { File, ready } = await import('h5wasm/node');
  // Else the library writes its errors to the screen and goes on.
  (await ready).activate_throwing_error_handler();
  const file = new File(path, 'r');
  try {
    const root = (file.keys().includes('model_weights') ? file.get('model_weights') : file) as Group;
    return readList(root, 'layer_names').length > 0 ? readByNames(root) : readByPlaces(file);
  } finally {
    file.close();
  }
}

/** Layers and their weights are listed in attributes: `layer_names` of the whole, `weight_names` of each layer. */
function readByNames(root: Group): NamedTensors {
  const arrays: NamedTensors = new Map();
  for (const layer of readList(root, 'layer_names')) {
    const group = root.get(layer) as Group;
    for (const weight of readList(group, 'weight_names')) {
      const [owner = layer, name] = weight.replace(/:\d+$/, '').split('/').slice(-2) as [string, string | undefined];
      arrays.set(
        name === undefined ? `${layer}/${owner}` : `${owner}/${name}`,
        readArray(group.get(weight) as Dataset),
      );
    }
  }
  return arrays;
}

/** Groups named by class and count; the layer's own name is an attribute of the group with its variables. */
function readByPlaces(group: Group, arrays: NamedTensors = new Map()): NamedTensors {
  for (const key of group.keys()) {
    const child = group.get(key) as Group | Dataset;
    if (!('keys' in child)) continue;
    if (key !== 'vars') {
      readByPlaces(child, arrays);
      continue;
    }
    const places = child.keys();
    if (places.length === 0) continue;
    const layer = child.attrs.name?.value;
    if (typeof layer !== 'string') {
      const next = "Its layers have no names: save it again with a newer Keras, or as model.save('….h5').";
      throw new Error(expected('the name of a layer', group.path, 'none', next));
    }
    for (const place of places) arrays.set(`${layer}/${place}`, readArray(child.get(place) as Dataset));
  }
  return arrays;
}

/** A list of texts, which Keras divides over `name0`, `name1`, … where it is too long for one attribute. */
function readList(group: Group, name: string): string[] {
  const { attrs } = group;
  const whole = attrs[name]?.value;
  if (whole !== undefined) return (whole ?? []) as string[];
  const parts: string[] = [];
  for (let part = 0; attrs[`${name}${part}`] !== undefined; part++) {
    parts.push(...(attrs[`${name}${part}`]!.value as string[]));
  }
  return parts;
}

function readArray(dataset: Dataset): { shape: number[]; data: Float32Array } {
  const { shape, value } = dataset;
  const numbers = typeof value === 'number' || typeof value === 'bigint' ? [value] : value;
  if (shape === null || numbers === null || typeof numbers !== 'object') {
    throw new Error(expected('numbers', dataset.path, dataset.dtype));
  }
  const data =
    numbers instanceof Float32Array ? numbers : Float32Array.from(numbers as ArrayLike<number | bigint>, Number);
  return { shape, data };
}
