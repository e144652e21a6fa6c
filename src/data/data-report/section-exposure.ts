import { histogram } from '../../pages/charts.ts';
import { type Html, html } from '../../pages/html.ts';
import { count, counted } from '../../pages/numbers.ts';
import { card, notice, type Section, sideBySide } from '../../pages/page.ts';
import { pictures } from '../../pages/picture.ts';
import { table } from '../../pages/table.ts';
import type { DataFacts } from './facts.ts';
import type { Gallery } from './gallery.ts';
import { idList } from './lists.ts';
import { KINDS } from './sets.ts';

/** Grey levels and pixel spacing, with the darkest and the brightest images. */
export async function exposureSection({ exposure, people, counts }: DataFacts, gallery: Gallery): Promise<Section> {
  const { flat, images } = exposure;
  const means = await histogram({
    caption: 'Images by mean grey level',
    axis: 'mean grey level of an image',
    bins: exposure.means,
    series: KINDS,
  });
  const whole =
    images === counts.images ? 'All images were looked at' : `An even spread of ${count(images)} images was looked at`;
  return {
    id: 'exposure',
    heading: 'Exposure and spacing',
    content: [
      html`<p>Grey levels from 0 (air) to 255, after normalisation. ${whole}.</p>`,
      flat.length > 0 &&
        notice('odd', `${counted(flat.length, 'image')} with hardly any contrast (less than 64 grey levels).`),
      sideBySide(card('Mean grey level', means), card('All pixels', await levelChart(exposure.levels))),
      sideBySide(card('Pixel spacing', await spacingChart(people)), card('Spacing in numbers', spacingTable(people))),
      flat.length > 0 && card('Without contrast', idList(flat)),
      card('Darkest and brightest', await extremes(exposure, gallery)),
    ],
  };
}

async function levelChart(levels: readonly number[]): Promise<Html> {
  return await histogram({
    caption: 'Share of pixels by grey level',
    axis: 'grey level of a pixel',
    unit: 'per thousand pixels',
    bins: levels.map((share, index) => ({ from: 4 * index, to: 4 * index + 4, counts: [Math.round(1000 * share)] })),
    series: [{ name: 'pixels', tone: 'plain' }],
  });
}

async function spacingChart({ spacings }: DataFacts['people']): Promise<Html> {
  if (spacings.length === 0) return html`<p>No file has a pixel spacing.</p>`;
  return await histogram({
    caption: 'Images by pixel spacing',
    axis: 'pixel spacing in mm',
    bins: spacings,
    digits: 3,
    series: KINDS,
  });
}

function spacingTable({ spacingQuantiles, withoutSpacing, notSquare }: DataFacts['people']): Html {
  const [least, median, most] = spacingQuantiles.map((value) => `${value.toFixed(4)} mm`);
  const rows = [
    ['least', least ?? '–'],
    ['median', median ?? '–'],
    ['greatest', most ?? '–'],
    ['images without a spacing', count(withoutSpacing)],
    ['images with pixels that are not square', count(notSquare)],
  ];
  const columns = [{ heading: 'Pixel spacing' }, { heading: 'Found', numeric: true }];
  return table({ caption: 'Pixel spacing in numbers', columns, rows });
}

async function extremes({ darkest, brightest }: DataFacts['exposure'], gallery: Gallery): Promise<Html> {
  const figures: Html[] = [];
  const seen = new Set<string>();
  for (const { imageId, mean } of [...darkest, ...brightest]) {
    const row = gallery.find(imageId);
    if (row === undefined || seen.has(imageId)) continue;
    seen.add(imageId);
    figures.push(await gallery.show(row, `mean ${mean.toFixed(0)}`, row.view));
  }
  return pictures(figures);
}
