import { emptyMask, type Mask } from '../../core/image.ts';
import { runsToMask } from '../../core/rle.ts';
import { type Html, html } from '../../pages/html.ts';
import { count } from '../../pages/numbers.ts';
import { picture, pictureUri } from '../../pages/picture.ts';
import type { CatalogueRow } from '../catalogue.ts';
import type { Labels } from '../labels.ts';
import type { ReportPixels } from './pixels.ts';

/** Draws usable images for the page. */
export interface Gallery {
  /** One image with its mask's outline, what it is and a line below. */
  show(row: CatalogueRow, what: string, note: string): Promise<Html>;
  /** Two images beside one another. */
  showPair(a: CatalogueRow, b: CatalogueRow, what: Html, note: string): Promise<Html>;
  /** The row of an id; undefined where no usable image has it. */
  find(imageId: string): CatalogueRow | undefined;
}

/** Opens a gallery over the usable images. */
export function openGallery(usable: readonly CatalogueRow[], labels: Labels, pixels: ReportPixels): Gallery {
  const indexOf = new Map(usable.map(({ imageId }, index) => [imageId, index]));
  const maskOf = ({ imageId, positive }: CatalogueRow): Mask | undefined =>
    positive ? runsToMask(labels.truth.get(imageId) ?? new Int32Array(0)) : undefined;
  const uriOf = async (row: CatalogueRow, side?: number) =>
    await pictureUri(await pixels.read(indexOf.get(row.imageId)!), maskOf(row) ?? emptyMask(1), side);
  return {
    show: async (row, what, note) => picture(await uriOf(row), describe(row), what, note, shortId(row.imageId)),
    showPair: async (a, b, what, note) => html`<figure><div class="pair">
<img src="${await uriOf(a, 240)}" alt="${describe(a)}" loading="lazy">
<img src="${await uriOf(b, 240)}" alt="${describe(b)}" loading="lazy"></div>
<figcaption>${what}<small class="picture-note">${note}</small></figcaption></figure>`,
    find: (imageId) => {
      const index = indexOf.get(imageId);
      return index === undefined ? undefined : usable[index];
    },
  };
}

/** An id as it fits below a picture: its end, which is what differs. */
export function shortId(imageId: string): Html {
  const short = imageId.length > 24 ? `…${imageId.slice(-20)}` : imageId;
  return html`<code title="${imageId}">${short}</code>`;
}

/** What an image is, for who does not see it and below pictures. */
export function describe({ imageId, labelled, positive, maskArea, view, sex, age }: CatalogueRow): string {
  const label = positive ? `positive, ${count(maskArea)} pixels` : labelled ? 'negative' : 'unlabelled';
  const person = [sex, age === undefined ? '' : `${age} years`, view].filter((word) => word !== '').join(', ');
  return `Radiograph ${imageId}: ${label}${person === '' ? '' : `; ${person}`}`;
}
