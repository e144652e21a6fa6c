import { expected } from '../core/errors.ts';
import type { NamedTensors } from '../core/safetensors.ts';
import { tf } from '../engine/tf.ts';

/** A weight of a network under its stable name, `<layer>/<weight>`. */
export interface NamedVariable {
  name: string;
  variable: tf.Variable;
  trainable: boolean;
}

/** The weights of a network in the order of its layers; tfjs's own names carry counters that differ between builds. */
export function namedVariables(model: tf.LayersModel): NamedVariable[] {
  return model.layers.flatMap((layer) =>
    layer.weights.map((weight) => ({
      name: `${layer.name}/${weight.originalName.split('/').at(-1)!.replace(/_\d+$/, '')}`,
      variable: weight.read() as tf.Variable,
      trainable: weight.trainable && layer.trainable,
    })),
  );
}

/** The weights of a network that tfjs itself holds. */
export function readWeights(model: tf.LayersModel): NamedTensors {
  return new Map(
    namedVariables(model).map(({ name, variable }) => [
      name,
      { shape: [...variable.shape], data: variable.dataSync().slice() as Float32Array },
    ]),
  );
}

/** Throws, with all that does not fit, when a name is missing or unknown or a shape differs. */
export function checkWeights(variables: readonly NamedVariable[], values: NamedTensors, where: string): void {
  const faults = findMismatches(variables, values);
  if (faults.length === 0) return;
  const shown = faults.slice(0, 10).join('\n  ');
  const more = faults.length > 10 ? `\n  … and ${faults.length - 10} more` : '';
  throw new Error(
    `${expected(`the network's ${variables.length} weights`, where, `${values.size} weights`)}\n  ${shown}${more}`,
  );
}

/** Sets the weights of a network that tfjs itself holds. Throws as checkWeights does. */
export function setWeights(model: tf.LayersModel, values: NamedTensors, where: string): void {
  const variables = namedVariables(model);
  checkWeights(variables, values, where);
  for (const { name, variable } of variables) {
    const { shape, data } = values.get(name)!;
    tf.tidy(() => variable.assign(tf.tensor(data.slice(), shape, 'float32')));
  }
}

function findMismatches(variables: readonly NamedVariable[], values: NamedTensors): string[] {
  const known = new Set(variables.map(({ name }) => name));
  const unknown = [...values.keys()].filter((name) => !known.has(name)).map((name) => `${name}: not in this network`);
  const wrong = variables.flatMap(({ name, variable }) => {
    const value = values.get(name);
    if (value === undefined) return [`${name}: missing`];
    const same = value.shape.join() === variable.shape.join();
    return same ? [] : [`${name}: shape [${value.shape}] where the network has [${variable.shape}]`];
  });
  return [...wrong, ...unknown];
}
