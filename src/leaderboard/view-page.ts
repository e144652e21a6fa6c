import { setImmediate } from 'node:timers/promises';
import { POOR } from '../metrics/confusion.ts';
import type { ImageScore } from '../metrics/dice.ts';
import { type Html, html } from '../pages/html.ts';
import { count, counted, decimal } from '../pages/numbers.ts';
import { notice, page } from '../pages/page.ts';
import { picture, pictures, pictureUri } from '../pages/picture.ts';
import { imagesOf, LOOKS, type Look, lookOf, type ViewSource } from './view-source.ts';

const WORDS: Record<Look, { filter: string; caption: string }> = {
  'false-alarm': { filter: 'False alarms', caption: 'false alarm' },
  missed: { filter: 'Missed', caption: 'missed' },
  poor: { filter: 'Poor outlines', caption: 'poor outline' },
  good: { filter: 'Good outlines', caption: 'good outline' },
};

/** Side of a picture in pixels. */
const SIDE = 320;

/** How many images look how; `empty` are those without a mask in truth and prediction. */
export type LookCounts = Record<Look | 'empty', number>;

export function countLooks(scores: readonly ImageScore[]): LookCounts {
  const counts: LookCounts = { 'false-alarm': 0, missed: 0, poor: 0, good: 0, empty: 0 };
  for (const score of scores) counts[lookOf(score) ?? 'empty']++;
  return counts;
}

/** A page of pictures with both outlines, to be filtered by how they look, without any script. */
export async function viewPage(
  source: ViewSource,
  most: number,
  { advance, signal }: { advance: () => void; signal: AbortSignal },
): Promise<string> {
  const counts = countLooks(source.scores);
  const dice = source.scores.reduce((sum, score) => sum + score.dice, 0) / source.scores.length;
  const shown: Html[] = [];
  for (const look of LOOKS) {
    for (const score of imagesOf(source, look).slice(0, most)) {
      signal.throwIfAborted();
      shown.push(html`<div class="look ${look}">${await draw(source, score, look)}</div>`);
      advance();
      await setImmediate();
    }
  }
  const cut = LOOKS.some((look) => counts[look] > most);
  return page({
    title: source.name,
    kind: 'Images',
    lead: html`Outlines of the truth in orange, of the prediction in blue. A poor outline has a Dice below ${POOR}.`,
    tiles: [
      { label: 'Dice', value: decimal(dice, 4), note: counted(source.scores.length, 'image') },
      ...LOOKS.map((look) => ({ label: WORDS[look].filter, value: count(counts[look]) })),
      { label: 'Empty in both', value: count(counts.empty), note: 'not shown' },
    ],
    sections: [
      {
        id: 'images',
        heading: 'Images',
        content: [
          cut && html`<p>Of each kind the ${count(most)} that cost most.</p>`,
          shown.length === 0 ? notice('good', 'There is no mask, in truth or prediction.') : filtered(shown, counts),
        ],
      },
    ],
    footer: html`Dice is of the masks at 1024²; pictures are smaller.`,
  });
}

/** Choices above the pictures: what is not chosen is hidden by the style sheet. */
function filtered(shown: readonly Html[], counts: LookCounts): Html {
  const all = LOOKS.reduce((sum, look) => sum + counts[look], 0);
  const choices = [
    { id: 'look-all', label: 'All', images: all },
    ...LOOKS.map((look) => ({ id: `look-${look}`, label: WORDS[look].filter, images: counts[look] })),
  ];
  const radios = choices.map(({ id, label, images }, place) => {
    const input =
      place === 0
        ? html`<input type="radio" name="look" id="${id}" checked>`
        : html`<input type="radio" name="look" id="${id}">`;
    return html`${input}<label for="${id}">${label} <small>${count(images)}</small></label>\n`;
  });
  return html`<div class="filter">${radios}${pictures(shown)}</div>`;
}

async function draw(source: ViewSource, score: ImageScore, look: Look): Promise<Html> {
  const { id, dice } = score;
  const uri = await pictureUri(source.pixels.pixelsOf(id), source.truthOf(id), SIDE, source.maskOf(id));
  const caption = `${WORDS[look].caption}, Dice ${dice.toFixed(3)}`;
  return picture(uri, `${id}: ${caption}`, caption, id);
}
