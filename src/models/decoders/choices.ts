/** What a decoder may be told, as experiments say it. No TensorFlow here: checking an experiment does not load it. */
export const DECODERS = ['unet', 'unetpp', 'simplified-unetpp', 'fpn'] as const;
export type DecoderName = (typeof DECODERS)[number];
export const UPSAMPLINGS = ['nearest', 'bilinear', 'transposed'] as const;
export const ATTENTIONS = ['none', 'scse'] as const;
export const NORMS = ['batch', 'group'] as const;
