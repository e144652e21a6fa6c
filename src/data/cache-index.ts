import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { sha256File } from '../core/atomic-file.ts';
import { normalisationConfig } from '../dicom/normalisation.ts';

/** The `.json` beside a pixel cache: written last, so a cache without it was never finished. */
const cacheIndexSchema = z.strictObject({
  format: z.int(),
  resolution: z.int(),
  normalisation: normalisationConfig,
  kernel: z.string(),
  /** SHA-256 over format, resolution, kernel, normalisation and every image's id and file digest. */
  digest: z.string(),
  /** Size of the pixel file. */
  bytes: z.int(),
  /** Image ids in the order in which the images lie. */
  ids: z.array(z.string()),
  /** Of the pixel file. */
  sha256: z.string(),
});

export type CacheIndex = z.infer<typeof cacheIndexSchema>;

/**
 * Holds a pixel cache against what it should be: `good`, `missing` (neither file there), or what is wrong with it.
 * @param verify `size` compares the index and the file's size, `sha256` also reads the whole file.
 */
export async function checkCache(
  path: string,
  wanted: Omit<CacheIndex, 'sha256'>,
  verify: 'size' | 'sha256',
): Promise<string> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  const text = await readFile(`${path}.json`, 'utf8').catch(() => undefined);
  if (size === undefined && text === undefined) return 'missing';
  if (size === undefined) return 'the pixel file is gone';
  if (text === undefined) return 'the index is gone';
  const index = parseIndex(text);
  if (index === undefined) return 'the index cannot be read';
  const { sha256, ...rest } = index;
  if (JSON.stringify(rest) !== JSON.stringify(wanted)) return 'the index is about other images';
  if (size !== wanted.bytes) return `${size} bytes instead of ${wanted.bytes}`;
  if (verify === 'sha256' && (await sha256File(path)) !== sha256) return 'the SHA-256 is another';
  return 'good';
}

function parseIndex(text: string): CacheIndex | undefined {
  try {
    return cacheIndexSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
