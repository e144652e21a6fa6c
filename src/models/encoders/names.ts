/** Names of encoders, as experiments give them. No TensorFlow here: checking an experiment does not load it. */
export const ENCODERS = [
  ...(['efficientnet-b0', 'efficientnet-b1', 'efficientnet-b2', 'efficientnet-b3'] as const),
  ...(['efficientnet-b4', 'efficientnet-b5', 'efficientnet-b6', 'efficientnet-b7'] as const),
  ...(['efficientnet-lite0', 'efficientnet-lite1', 'efficientnet-lite2'] as const),
  ...(['resnet18', 'resnet34', 'resnet50', 'resnet101', 'seresnext50-32x4d'] as const),
] as const;
export type EncoderName = (typeof ENCODERS)[number];
