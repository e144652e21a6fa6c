import sharp from 'sharp';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { MASK_SIZE } from '../core/competition.ts';
import type { Mask } from '../core/image.ts';
import { type Runs, runsToMask } from '../core/rle.ts';

const TRUTH = [64, 220, 96] as const;
const PREDICTION = [255, 72, 72] as const;
/** Side of each of the two pictures beside one another. */
const SIDE = 512;

/**
 * Writes a PNG of 1024×512: the image as it is, and the image with the outlines of the truth (green) and of the
 * prediction (red; yellow-ish where both run together).
 * @param pixels grey levels, [resolution, resolution] row-major
 */
export async function writeOverlay(
  path: string,
  pixels: Uint8Array,
  resolution: number,
  truth: Runs,
  prediction: Mask,
): Promise<void> {
  const raw = { width: resolution, height: resolution, channels: 1 as const };
  const plain = await sharp(pixels, { raw }).resize(SIDE, SIDE).toColourspace('srgb').raw().toBuffer();
  const marked = Uint8Array.from(plain);
  drawOutline(marked, runsToMask(truth), TRUTH);
  drawOutline(marked, prediction, PREDICTION);
  const side = (data: Uint8Array) => ({
    input: Buffer.from(data),
    raw: { width: SIDE, height: SIDE, channels: 3 as const },
  });
  const picture = await sharp({ create: { width: 2 * SIDE, height: SIDE, channels: 3, background: '#000' } })
    .composite([
      { ...side(plain), left: 0, top: 0 },
      { ...side(marked), left: SIDE, top: 0 },
    ])
    .png()
    .toBuffer();
  // An upload may be reading the one that was there.
  await writeFileAtomic(path, picture);
}

/** Paints every pixel of the picture whose cell holds both inside and outside of the mask. */
function drawOutline(picture: Uint8Array, mask: Mask, colour: readonly number[]): void {
  const scale = MASK_SIZE / SIDE;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      if (!isEdge(mask, x * scale, y * scale, scale)) continue;
      for (let channel = 0; channel < 3; channel++) picture[(y * SIDE + x) * 3 + channel] = colour[channel]!;
    }
  }
}

function isEdge({ width, height, data }: Mask, left: number, top: number, scale: number): boolean {
  const inside = data[top * width + left]!;
  const right = Math.min(left + scale, width - 1);
  const bottom = Math.min(top + scale, height - 1);
  return data[top * width + right] !== inside || data[bottom * width + left] !== inside;
}
