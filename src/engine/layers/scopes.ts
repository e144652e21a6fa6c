import { inScope } from '../graph/recording.ts';
import type { tf } from '../tf.ts';

/** Lets each layer's nodes carry its name while a network is recorded, so that passes over the graph can find them. */
export function nameScopes(model: tf.LayersModel): void {
  for (const layer of model.layers) {
    const call = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => inScope(layer.name, () => call(inputs, kwargs));
  }
}
