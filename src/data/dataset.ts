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
}

/** What a run reads: images of one resolution, their truth, and a digest of both. */
export interface Dataset {
  root: string;
  /** Side of the cached images in pixels. */
  resolution: number;
  /** SHA-256 over ids, file digests and label codes, in hexadecimal: other data, another digest. */
  digest: string;
  images: readonly DatasetImage[];
  /** The pixel cache, for threads that open it themselves: the pixels of `images[i]` lie at byte i·R·R. */
  pixelsPath: string;
  /** Reads the pixels of `images[index]`, [resolution, resolution] row-major, 0 to 255. */
  readPixels(index: number): Uint8Array;
  close(): void;
}
