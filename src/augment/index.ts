import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { brightnessContrast, brightnessContrastConfig } from './brightness-contrast.ts';
import { hflip, hflipConfig } from './hflip.ts';
import { randomCropZoom, randomCropZoomConfig } from './random-crop-zoom.ts';
import type { Sample } from './sample.ts';

export const augmentConfig = z.discriminatedUnion('name', [
  hflipConfig,
  randomCropZoomConfig,
  brightnessContrastConfig,
]);
export type AugmentConfig = z.infer<typeof augmentConfig>;

/** Changes image and mask of a sample in place, step after step, with random numbers of the sample's own. */
export function augment(steps: readonly AugmentConfig[], sample: Sample, rng: Rng): void {
  for (const step of steps) applyStep(step, sample, rng);
}

function applyStep(config: AugmentConfig, sample: Sample, rng: Rng): void {
  switch (config.name) {
    case 'hflip':
      hflip(config, sample, rng);
      break;
    case 'random_crop_zoom':
      randomCropZoom(config, sample, rng);
      break;
    case 'brightness_contrast':
      brightnessContrast(config, sample, rng);
      break;
    default:
      config satisfies never;
  }
}
