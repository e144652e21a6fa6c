import { messageOf } from '../core/errors.ts';
import type { Mask } from '../core/image.ts';
import type { Terminal } from '../core/terminal.ts';
import { type Html, html } from '../pages/html.ts';
import { notice } from '../pages/page.ts';
import { picture, pictures, pictureUri } from '../pages/picture.ts';
import type { ComparedSet } from './comparison.ts';
import { type Disagreement, seenContenders } from './disagreements.ts';
import { type ImageSource, type MaskSource, openImages, openMasks } from './image-pictures.ts';

/** Side in pixels: four of them stand beside one another. */
const SIDE = 256;

/**
 * The images on which contenders are farthest apart, once for each contender: its mask's outline in blue, the truth's in
 * orange. Of runs that differ in their seed the first one's mask is drawn. Where there are no pictures, a sentence says why.
 */
export async function disagreementPictures(
  set: ComparedSet,
  images: readonly Disagreement[],
  cwd: string,
  terminal: Terminal,
): Promise<Html> {
  const seen = seenContenders(set);
  const source = await openImages(set.baseline.runs[0]!.run, cwd, terminal);
  if (typeof source === 'string') return notice('odd', `Without pictures: ${source}.`);
  const masks: (MaskSource | undefined)[] = [];
  try {
    for (const { runs } of seen) masks.push(await openMasks(runs[0]!));
    const rows: Html[] = [];
    for (const image of images) {
      const figures: Html[] = [];
      for (const [place, { label }] of seen.entries()) {
        figures.push(await figure(image, source, masks[place]?.maskOf(image.id), label, image.dice[place]!));
      }
      const kind = image.positive ? 'has a mask' : 'empty';
      rows.push(html`<h4>${image.id} <small class="picture-note">${kind}</small></h4>${pictures(figures)}`);
    }
    return html`${rows}`;
  } catch (error) {
    return notice('odd', `Without pictures: ${messageOf(error)}.`);
  } finally {
    source.close();
    for (const each of masks) each?.close();
  }
}

async function figure(
  { id }: Disagreement,
  source: ImageSource,
  mask: Mask | undefined,
  label: string,
  dice: number,
): Promise<Html> {
  const uri = await pictureUri(source.pixelsOf(id), source.truthOf(id), SIDE, mask);
  const note = mask === undefined ? ' (its mask is not stored)' : '';
  return picture(uri, `${id} by ${label}`, `${label}: Dice ${dice.toFixed(3)}${note}`);
}
