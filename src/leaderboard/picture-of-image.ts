import type { Html } from '../pages/html.ts';
import { picture, pictureUri } from '../pages/picture.ts';
import type { ImageSource, MaskSource } from './image-pictures.ts';

/** Side in pixels: four of them stand beside one another. */
const SIDE = 256;

/** An image with the truth's outline in orange and, where it is stored, the prediction's in blue. */
export async function drawImage(
  id: string,
  source: ImageSource,
  masks: MaskSource | undefined,
  { alt, caption, note }: { alt: string; caption: string; note?: string },
): Promise<Html> {
  const uri = await pictureUri(source.pixelsOf(id), source.truthOf(id), SIDE, masks?.maskOf(id));
  const missing = masks === undefined ? ' (its mask is not stored)' : '';
  return picture(uri, alt, `${caption}${missing}`, ...(note === undefined ? [] : [note]));
}
