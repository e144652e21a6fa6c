import { messageOf } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { type Html, html } from '../pages/html.ts';
import { notice } from '../pages/page.ts';
import { pictures } from '../pages/picture.ts';
import type { ComparedSet } from './comparison.ts';
import { type Disagreement, seenContenders } from './disagreements.ts';
import { type MaskSource, openImages, openMasks } from './image-pictures.ts';
import { drawImage } from './picture-of-image.ts';

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
        const text = { alt: `${image.id} by ${label}`, caption: `${label}: Dice ${image.dice[place]!.toFixed(3)}` };
        figures.push(await drawImage(image.id, source, masks[place], text));
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
