import type { EncoderName } from './names.ts';

/** What the grey levels of a picture are normalized by: (x/255 − mean)/std for each of red, green and blue. */
export interface InputStatistics {
  mean: readonly number[];
  std: readonly number[];
}

/** Of ImageNet's pictures: what torchvision, timm and Keras's EfficientNet normalize by. */
export const IMAGENET: InputStatistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** −1 to 1, as timm feeds the weights that TensorFlow's authors published for EfficientNet-Lite. */
export const MINUS_ONE_TO_ONE: InputStatistics = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/** What an encoder's published weights were trained with; weights may bring others (see pretrained/layouts.ts). */
export function inputStatistics(name: EncoderName): InputStatistics {
  return name.startsWith('efficientnet-lite') ? MINUS_ONE_TO_ONE : IMAGENET;
}
