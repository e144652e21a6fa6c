import type { ImageSet } from '../core/competition.ts';
import type { Runs } from '../core/rle.ts';

/** One image of the catalogue that is in the pixel cache. */
export interface DatasetImage {
  id: string;
  set: ImageSet;
  /** '' where no patient is known. */
  patientId: string;
  /** The union of its label rows at MASK_SIZE², or undefined where it has no row: unlabelled, never negative. */
  truth: Runs | undefined;
  /** How often an epoch draws it beside an own image's once; of extra images alone, which are only trained on. */
  weight?: number;
}

/** Where an extra image's pixels lie. */
export interface PixelCell {
  /** The pixel cache of its set, and how many images that holds. */
  path: string;
  count: number;
  /** Its place there, from 0. */
  index: number;
}

/** What a run reads: images of one resolution, their truth, and a digest of both. */
export interface Dataset {
  root: string;
  /** Side of the cached images in pixels. */
  resolution: number;
  /** SHA-256 over ids, file digests and label codes of its own images, in hexadecimal: other data, another digest. */
  digest: string;
  /** The same of the extra images and their weights; only where there are any. */
  extraDigest?: string;
  /** Its own images, then the extra ones, which alone have a weight. */
  images: readonly DatasetImage[];
  /** The pixel cache, for threads that open it themselves: the pixels of own `images[i]` lie at byte i·R·R. */
  pixelsPath: string;
  /** Where the extra images lie, in their order; none when left out. */
  cells?: readonly PixelCell[];
  /** Reads the pixels of `images[index]`, [resolution, resolution] row-major, 0 to 255. */
  readPixels(index: number): Uint8Array;
  close(): void;
}
