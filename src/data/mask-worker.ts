import sharp from 'sharp';
import { MASK_SIZE } from '../core/competition.ts';
import { messageOf, UserError } from '../core/errors.ts';
import type { Mask } from '../core/image.ts';
import { formatRle, maskToRuns } from '../core/rle.ts';
import { serveTasks } from '../core/worker-pool.ts';
import { readMaskPicture } from './picture-file.ts';
import { readSource } from './source-bytes.ts';

/** One mask picture to read. */
export interface MaskTask {
  path: string;
  /** Its name in messages. */
  file: string;
}

/** Its code at MASK_SIZE², or why it cannot be read. */
export type MaskCode = { rle: string } | { refused: string };

sharp.concurrency(1);
serveTasks<object, MaskTask, MaskCode>(async ({ path, file }) => {
  try {
    const mask = await readMaskPicture(await readSource(path, file), file);
    return { rle: formatRle(maskToRuns(enlarge(mask))) };
  } catch (error) {
    if (!(error instanceof UserError)) throw new Error(`${file}: ${messageOf(error)}`, { cause: error });
    return { refused: error.message };
  }
});

/** At MASK_SIZE², each pixel that of the old one under its centre; stretched where it is not square, as its image is. */
function enlarge({ width, height, data }: Mask): Mask {
  if (width === MASK_SIZE && height === MASK_SIZE) return { width, height, data };
  const enlarged = new Uint8Array(MASK_SIZE * MASK_SIZE);
  const columns = Int32Array.from({ length: MASK_SIZE }, (_, x) => Math.floor(((x + 0.5) * width) / MASK_SIZE));
  for (let y = 0; y < MASK_SIZE; y++) {
    const row = Math.floor(((y + 0.5) * height) / MASK_SIZE) * width;
    for (let x = 0; x < MASK_SIZE; x++) enlarged[y * MASK_SIZE + x] = data[row + columns[x]!]!;
  }
  return { width: MASK_SIZE, height: MASK_SIZE, data: enlarged };
}
