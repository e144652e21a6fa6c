import { setImmediate } from 'node:timers/promises';
import { MASK_SIZE } from '../../../core/competition.ts';
import { createRng, type Rng } from '../../../core/random.ts';
import type { Progress } from '../../../core/terminal.ts';
import { createProbabilityStore } from '../../../predict/probability-store.ts';

/** An ellipse that a network is sure of in its middle and less so towards its edge; lengths are shares of the side. */
interface Blob {
  x: number;
  y: number;
  rx: number;
  ry: number;
  /** In (0, 1). */
  peak: number;
}

/** Shares as in the competition: images with a mask, and images where a network sees one that is not there. */
const POSITIVE = 0.22;
const FALSE_ALARM = 0.1;

/**
 * Writes the probabilities of a made-up member on images `image-0`, `image-1`, … as a network would leave them: smooth, mostly nothing,
 * a few blobs where there is a mask (area as in the competition), now and then one where there is none. Members of one seed see
 * the same masks, each a little otherwise.
 */
export async function writeSyntheticStore(
  path: string,
  { images, resolution, seed, member }: { images: number; resolution: number; seed: number; member: number },
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<void> {
  const texture = drawTexture(resolution, createRng(seed, 'texture', member));
  const facts = { resolution, checkpoint: `synthetic-${member}`, tta: ['none', 'hflip'] };
  const writer = await createProbabilityStore(path, facts);
  try {
    for (let image = 0; image < images; image++) {
      signal.throwIfAborted();
      const map = drawMap(texture, resolution, drawBlobs(seed, image), createRng(seed, 'member', member, image));
      await writer.append(`image-${image}`, map);
      progress.advance();
      await setImmediate();
    }
    await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** What is seen on an image. */
export function drawBlobs(seed: number, image: number): { blobs: Blob[]; positive: boolean } {
  const rng = createRng(seed, 'image', image);
  const positive = rng.chance(POSITIVE);
  const seen = positive ? rng.integer(1, 3) : rng.chance(FALSE_ALARM) ? 1 : 0;
  const blobs = Array.from({ length: seen }, () => {
    // Half of the masks are below 9,000 pixels, one in twenty below 1,400.
    const area = Math.min(80_000, Math.exp(9.1 + 1.1 * rng.normal())) / MASK_SIZE ** 2;
    const stretch = rng.between(0.4, 1);
    const rx = Math.sqrt((area * stretch) / Math.PI);
    return { x: rng.between(0.2, 0.8), y: rng.between(0.2, 0.8), rx, ry: rx / stretch, peak: rng.between(0.45, 0.99) };
  });
  return { blobs, positive };
}

/** Low, smooth values, as a network gives where it sees nothing. */
function drawTexture(resolution: number, rng: Rng): Uint8Array {
  const waves = Array.from({ length: 6 }, () => [rng.between(2, 9), rng.between(2, 9), rng.between(0, 6)] as const);
  return Uint8Array.from({ length: resolution ** 2 }, (_, at) => {
    const [x, y] = [(at % resolution) / resolution, Math.floor(at / resolution) / resolution];
    const height = waves.reduce((sum, [across, down, phase]) => sum + Math.sin(6 * (across * x + down * y) + phase), 0);
    return Math.max(0, Math.round(2 * height));
  });
}

function drawMap(
  texture: Uint8Array,
  resolution: number,
  { blobs }: ReturnType<typeof drawBlobs>,
  rng: Rng,
): Uint8Array {
  const shift = rng.integer(0, texture.length - 1);
  const map = new Uint8Array(texture.length);
  map.set(texture.subarray(shift));
  map.set(texture.subarray(0, shift), texture.length - shift);
  for (const { x, y, rx, ry, peak } of blobs) {
    const [cx, cy] = [(x + 0.01 * rng.normal()) * resolution, (y + 0.01 * rng.normal()) * resolution];
    const [w, h] = [rx * resolution, ry * resolution];
    const top = Math.min(0.995, Math.max(0.05, peak + 0.1 * rng.normal()));
    for (let row = Math.max(0, Math.floor(cy - 2 * h)); row < Math.min(resolution, cy + 2 * h); row++) {
      for (let column = Math.max(0, Math.floor(cx - 2 * w)); column < Math.min(resolution, cx + 2 * w); column++) {
        const distance = Math.hypot((column - cx) / w, (row - cy) / h);
        const byte = Math.round((255 * top) / (1 + Math.exp(8 * (distance - 1))));
        const at = row * resolution + column;
        map[at] = Math.max(map[at]!, byte);
      }
    }
  }
  return map;
}
