import { deriveSeed } from '../core/random.ts';
import { GlobalAveragePooling2D } from '../engine/layers/global-average-pooling.ts';
import { tf } from '../engine/tf.ts';
import { type BlockOptions, dropUnits, type Feature } from './blocks.ts';

/** As EfficientNet has it before its classifier (Tan and Le, 2019, section 5.2, at B0). */
const DROPOUT = 0.2;

/**
 * The empty-mask head: the logit of an image having a mask at all, [N,1], from the encoder's deepest feature [N,H,W,C]: the
 * mean over height and width, dropout, and one weight for each channel, as classifiers read a feature (Lin et al., 2014,
 * section 3.2). It begins at a probability near one half.
 */
export function buildPresenceHead(deepest: Feature, options: BlockOptions): Feature {
  const pooled = new GlobalAveragePooling2D({ name: 'presence_pool' }).apply(deepest) as Feature;
  const kept = dropUnits(pooled, 'presence_dropout', DROPOUT, options);
  const kernelInitializer = tf.initializers.glorotUniform({ seed: deriveSeed(options.seed, 'presence_logit') });
  return tf.layers.dense({ name: 'presence_logit', units: 1, kernelInitializer }).apply(kept) as Feature;
}
