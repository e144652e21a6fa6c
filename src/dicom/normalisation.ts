import { z } from 'zod';

const none = z.strictObject({ name: z.literal('none') });

const window = z
  .strictObject({
    name: z.literal('window'),
    /** Middle of the window in rescaled units (PS3.3, C.11.2.1.2); the file's own window or VOI LUT without it. */
    center: z.number().optional(),
    /** Width of the window in rescaled units. */
    width: z.number().min(1).optional(),
  })
  .refine(({ center, width }) => (center === undefined) === (width === undefined), 'both center and width, or neither');

const minmax = z
  .strictObject({
    name: z.literal('minmax'),
    /** Percentile of the image's rescaled values that becomes black. */
    low: z.number().min(0).max(100).default(0.5),
    /** Percentile that becomes white. */
    high: z.number().min(0).max(100).default(99.5),
  })
  .refine(({ low, high }) => low < high, 'a low percentile below the high one');

const clahe = z.strictObject({
  name: z.literal('clahe'),
  /** How many times the average a grey level's count may be before it is cut: more is more contrast. */
  clip_limit: z.number().gt(0).default(2),
  /** Tiles along each side of the image. */
  tiles: z.int().min(1).max(64).default(8),
});

/** How stored values become 8-bit grey levels. What each does is in normalise.ts. */
export const normalisationConfig = z.discriminatedUnion('name', [none, window, minmax, clahe]);
export type NormalisationConfig = z.infer<typeof normalisationConfig>;
