import type { GrayImage } from '../../core/image.ts';
import { bars, histogram } from '../../pages/charts.ts';
import { heatMap } from '../../pages/heat-map.ts';
import { type Html, html } from '../../pages/html.ts';
import { count, percent } from '../../pages/numbers.ts';
import { card, type Section, sideBySide, stacked } from '../../pages/page.ts';
import { pictures } from '../../pages/picture.ts';
import { table } from '../../pages/table.ts';
import type { CatalogueRow } from '../catalogue.ts';
import type { DataFacts } from './facts.ts';
import type { Gallery } from './gallery.ts';
import { type MaskFacts, quantile } from './masks.ts';

const POSITIVE = [{ name: 'positive', tone: 'positive' as const }];
const NAMES: Record<string, string> = { '0': 'smallest', '0.5': 'median', '1': 'largest' };

/** Sizes and places of masks, with pictures from the smallest to the largest. */
export async function maskSection(
  { masks, counts }: DataFacts,
  usable: readonly CatalogueRow[],
  gallery: Gallery,
  meanPicture: GrayImage | undefined,
): Promise<Section> {
  const { positivePixels, areas } = masks;
  if (counts.positive === 0) return { id: 'masks', heading: 'Masks', content: html`<p>No image has a mask.</p>` };
  const lead = html`<p>Areas are pixels of the union of an image's masks at 1024². ${(100 * positivePixels).toFixed(3)} % of the
pixels of labelled images are positive.</p>`;
  const rows = areas.map(({ share, area }) => [
    NAMES[share] ?? `${100 * share} %`,
    count(area),
    percent(area, 1024 ** 2),
  ]);
  const columns = [
    { heading: 'Of the positive images' },
    { heading: 'Area', numeric: true },
    { heading: 'Of the picture', numeric: true },
  ];
  const sizes = await histogram({
    caption: 'Positive images by mask area',
    axis: 'mask area in pixels at 1024² (logarithmic)',
    bins: masks.bins,
    scale: 'log',
    series: POSITIVE,
  });
  const perRow = await bars({
    caption: 'Positive images by number of label rows',
    axis: 'Label rows',
    bars: masks.rows,
    series: POSITIVE,
  });
  return {
    id: 'masks',
    heading: 'Masks',
    content: [
      lead,
      sideBySide(card('Area', sizes), card('Quantiles', table({ caption: 'Mask areas', columns, rows }))),
      sideBySide(
        card('Where they lie', await places(masks, meanPicture)),
        stacked(card('Side', sides(masks)), card('Label rows of an image', perRow)),
      ),
      card('From the smallest to the largest', await examples(usable, gallery)),
    ],
  };
}

async function places({ positions }: MaskFacts, meanPicture: GrayImage | undefined): Promise<Html> {
  return await heatMap({
    ...positions,
    background: meanPicture,
    alt: 'Heat map: how often each place of the picture is inside a mask, over the mean of the radiographs',
    caption: 'How often a place is inside the mask of a positive image, over the mean radiograph.',
    show: (value) => `${(100 * value).toFixed(value === 0 ? 0 : 1)} %`,
  });
}

/** A patient faces us: the picture's left half is the patient's right side. */
function sides({ halves }: MaskFacts): Html {
  const total = halves.left + halves.right + halves.both;
  const row = (name: string, value: number) => [name, count(value), percent(value, total)];
  return table({
    caption: 'Positive images by side',
    columns: [{ heading: 'Mask in' }, { heading: 'Images', numeric: true }, { heading: 'Share', numeric: true }],
    rows: [
      row("the picture's left half (the patient's right)", halves.left),
      row("the picture's right half (the patient's left)", halves.right),
      row('both halves', halves.both),
    ],
  });
}

async function examples(usable: readonly CatalogueRow[], gallery: Gallery): Promise<Html> {
  const positives = usable.filter((row) => row.positive).sort((a, b) => a.maskArea - b.maskArea);
  const order = positives.map((_, index) => index);
  const chosen = new Set([0, 0.05, 0.25, 0.5, 0.75, 0.95, 1].map((share) => quantile(order, share)));
  const negatives = usable.filter((row) => row.labelled && !row.positive);
  const last = negatives[Math.floor(negatives.length / 2)];
  const figures: Html[] = [];
  for (const index of chosen) {
    const row = positives[index]!;
    figures.push(await gallery.show(row, `${count(row.maskArea)} pixels`, personOf(row)));
  }
  if (last !== undefined) figures.push(await gallery.show(last, 'negative', personOf(last)));
  return pictures(figures);
}

function personOf({ view, sex, age }: CatalogueRow): string {
  return [view, sex, age === undefined ? '' : `${age} y`].filter((word) => word !== '').join(' · ');
}
