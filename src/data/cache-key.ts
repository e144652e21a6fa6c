import { join } from 'node:path';
import { sha256 } from '../core/atomic-file.ts';
import type { NormalisationConfig } from '../dicom/normalisation.ts';
import type { CacheIndex } from './cache-index.ts';
import { KERNEL } from './resize.ts';

/** An image that goes into a cache. */
export interface CacheSource {
  imageId: string;
  /** Relative to the data root. */
  file: string;
  /** Of the file, as catalogued. */
  sha256: string;
}

/** What decides a cache's pixels. */
export interface CacheContent {
  root: string;
  /** Side in pixels. */
  resolution: number;
  normalisation: NormalisationConfig;
  /** In the order in which they lie in the file. */
  sources: readonly CacheSource[];
}

/** Grows whenever the same files would give other pixels, or the index has another form. */
const FORMAT = 2;

/** Where the cache of these images lies: its name holds resolution, normalisation and the digest of all that decides it. */
export function cachePath(content: CacheContent): string {
  return join(content.root, 'cache', `${cacheKind(content)}-${cacheDigest(content).slice(0, 12)}.pixels`);
}

/** What the names of all caches at a resolution and normalisation begin with. */
export function cacheKind({ resolution, normalisation }: Pick<CacheContent, 'resolution' | 'normalisation'>): string {
  return `${resolution}-${normalisation.name}`;
}

/** What the cache's index says, but for the SHA-256 of its pixels. */
export function describeCache(content: CacheContent): Omit<CacheIndex, 'sha256'> {
  const { resolution, normalisation, sources } = content;
  const ids = sources.map(({ imageId }) => imageId);
  const digest = cacheDigest(content);
  return {
    format: FORMAT,
    resolution,
    normalisation,
    kernel: KERNEL,
    digest,
    bytes: ids.length * resolution ** 2,
    ids,
  };
}

function cacheDigest({ resolution, normalisation, sources }: CacheContent): string {
  const lines = sources.map(({ imageId, sha256 }) => `${imageId} ${sha256}`);
  const head = `format ${FORMAT} resolution ${resolution} kernel ${KERNEL} normalisation ${JSON.stringify(normalisation)}`;
  return sha256([head, ...lines].join('\n'));
}
