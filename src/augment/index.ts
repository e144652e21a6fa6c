import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { blur, blurConfig } from './blur.ts';
import { brightness, brightnessConfig } from './brightness.ts';
import { brightnessContrast, brightnessContrastConfig } from './brightness-contrast.ts';
import { contrast, contrastConfig } from './contrast.ts';
import { cutout, cutoutConfig } from './cutout.ts';
import { elasticTransform, elasticTransformConfig } from './elastic-transform.ts';
import { gamma, gammaConfig } from './gamma.ts';
import { gridDistortion, gridDistortionConfig } from './grid-distortion.ts';
import { hflip, hflipConfig } from './hflip.ts';
import { noise, noiseConfig } from './noise.ts';
import { chooseStep, oneOfConfig } from './one-of.ts';
import { opticalDistortion, opticalDistortionConfig } from './optical-distortion.ts';
import { randomCropZoom, randomCropZoomConfig } from './random-crop-zoom.ts';
import type { Sample } from './sample.ts';
import { shiftScaleRotate, shiftScaleRotateConfig } from './shift-scale-rotate.ts';

const singleStep = z.discriminatedUnion('name', [
  hflipConfig,
  randomCropZoomConfig,
  shiftScaleRotateConfig,
  elasticTransformConfig,
  gridDistortionConfig,
  opticalDistortionConfig,
  brightnessContrastConfig,
  brightnessConfig,
  contrastConfig,
  gammaConfig,
  noiseConfig,
  blurConfig,
  cutoutConfig,
]);
export const augmentConfig = z.discriminatedUnion('name', [...singleStep.options, oneOfConfig(singleStep)]);
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
    case 'shift_scale_rotate':
      shiftScaleRotate(config, sample, rng);
      break;
    case 'elastic_transform':
      elasticTransform(config, sample, rng);
      break;
    case 'grid_distortion':
      gridDistortion(config, sample, rng);
      break;
    case 'optical_distortion':
      opticalDistortion(config, sample, rng);
      break;
    case 'brightness_contrast':
      brightnessContrast(config, sample, rng);
      break;
    case 'brightness':
      brightness(config, sample, rng);
      break;
    case 'contrast':
      contrast(config, sample, rng);
      break;
    case 'gamma':
      gamma(config, sample, rng);
      break;
    case 'noise':
      noise(config, sample, rng);
      break;
    case 'blur':
      blur(config, sample, rng);
      break;
    case 'cutout':
      cutout(config, sample, rng);
      break;
    case 'one_of': {
      const chosen = chooseStep(config, rng);
      if (chosen !== undefined) applyStep(chosen, sample, rng);
      break;
    }
    default:
      config satisfies never;
  }
}
