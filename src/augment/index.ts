import { z } from 'zod';
import { brightnessContrastConfig } from './brightness-contrast.ts';
import { hflipConfig } from './hflip.ts';

export const augmentConfig = z.discriminatedUnion('name', [hflipConfig, brightnessContrastConfig]);
export type AugmentConfig = z.infer<typeof augmentConfig>;
