import { type AugmentConfig, augmentConfig } from '../../../augment/index.ts';

/** A transform of albumentations by its class and keywords; a choice has transforms of its own. */
export interface Transform {
  name: string;
  keys: Record<string, unknown>;
  transforms?: readonly Transform[];
}

/** The same work here and there. */
export interface Comparison {
  title: string;
  /** What the goal is about: the list as a whole. */
  goal: boolean;
  /** Whether every image has a mask, rather than as many as in the competition. */
  everyMask: boolean;
  /** How many turns it has in a round: which of a list's steps come, the slow or the fast ones, is chance. */
  turns: number;
  ours: AugmentConfig[];
  theirs: Transform[];
}

/** Side of the images, as the report trained last before the full size. */
export const SIDE = 512;

type Step = [ours: { name: string }, theirs: Transform];
const step = (name: string, keys: object, theirs: string, theirKeys: Record<string, unknown> = {}): Step => [
  { name, ...keys },
  { name: theirs, keys: theirKeys },
];
const RADIAL = { distort_limit: 2 };
const ELASTIC = { alpha: 120, sigma: 6 };

const STEPS = {
  hflip: step('hflip', {}, 'HorizontalFlip'),
  crop: step('random_crop_zoom', {}, 'RandomSizedCrop', {
    min_max_height: [0.8 * SIDE, SIDE].map(Math.round),
    size: [SIDE, SIDE],
  }),
  rotate: step('shift_scale_rotate', {}, 'ShiftScaleRotate'),
  // What the moved points were is no part of albumentations 2; ours moves them all the same.
  elastic: step('elastic_transform', { ...ELASTIC, alpha_affine: 3.6 }, 'ElasticTransform', {
    ...ELASTIC,
    noise_distribution: 'uniform',
  }),
  grid: step('grid_distortion', {}, 'GridDistortion'),
  optical: step('optical_distortion', { ...RADIAL, shift_limit: 0.5 }, 'OpticalDistortion', RADIAL),
  brightness: step('brightness', {}, 'RandomBrightnessContrast', { brightness_limit: 0.2, contrast_limit: 0 }),
  contrast: step('contrast', {}, 'RandomBrightnessContrast', { brightness_limit: 0, contrast_limit: 0.2 }),
  gamma: step('gamma', {}, 'RandomGamma'),
  noise: step('noise', {}, 'GaussNoise', { std_range: [0.0125, 0.0275] }),
  blur: step('blur', {}, 'Blur'),
  cutout: step('cutout', {}, 'CoarseDropout'),
};

/** The list of the competition's kernels, which the report trained with: steps and choices with their probabilities. */
const KERNELS: [p: number, choices: Step[]][] = [
  [0.5, [STEPS.hflip]],
  [0.3, [STEPS.contrast, STEPS.gamma, STEPS.brightness]],
  [0.3, [STEPS.elastic, STEPS.grid, STEPS.optical]],
  [0.5, [STEPS.rotate]],
];

/** The whole list, then each step alone, for certain. */
export function listComparisons(): Comparison[] {
  const list = {
    goal: true,
    turns: 10,
    ours: KERNELS.map(([p, choices]) =>
      augmentConfig.parse(
        choices.length === 1 ? { ...choices[0]![0], p } : { name: 'one_of', p, steps: choices.map(([ours]) => ours) },
      ),
    ),
    theirs: KERNELS.map(([p, choices]) =>
      choices.length === 1
        ? withProbability(choices[0]![1], p)
        : { name: 'OneOf', keys: { p }, transforms: choices.map(([, theirs]) => theirs) },
    ),
  };
  const alone = Object.values(STEPS).map(([ours, theirs]) => ({
    title: `\`${ours.name}\``,
    goal: false,
    turns: 1,
    everyMask: false,
    ours: [augmentConfig.parse({ ...ours, p: 1 })],
    theirs: [withProbability(theirs, 1)],
  }));
  return [
    { title: 'the list', everyMask: false, ...list },
    { title: 'the list, every image with a mask', everyMask: true, ...list },
    ...alone,
  ];
}

function withProbability(transform: Transform, p: number): Transform {
  return { ...transform, keys: { ...transform.keys, p } };
}
