import { bars } from '../../pages/charts.ts';
import { type Html, html } from '../../pages/html.ts';
import { count, counted, percent } from '../../pages/numbers.ts';
import { card, notice, type Section, sideBySide } from '../../pages/page.ts';
import { table } from '../../pages/table.ts';
import type { DataFacts } from './facts.ts';
import { idList } from './lists.ts';
import { KINDS, type SetCounts } from './sets.ts';

const HEADINGS = ['Set', 'Files', 'Usable', 'Labelled', 'Positive', 'Share', 'Negative', 'Unlabelled', 'Set aside'];

/** Images and labels by set, the class balance, and how the label file fits the images. */
export async function balanceSection(facts: DataFacts): Promise<Section> {
  const { counts, sets, labels } = facts;
  const { doubled, change, withoutImage, unlabelled } = labels;
  const chart = await bars({
    caption: 'Usable images of each set by label',
    axis: 'Set',
    series: KINDS,
    bars: sets.map(({ set, positive, negative, unlabelled }) => ({
      name: set,
      counts: [positive, negative, unlabelled],
    })),
  });
  const share = percent(counts.positive, counts.labelled);
  const lead = html`<p>${share} of the labelled images have a pneumothorax. An image without a label row is unlabelled and takes no
part in training; it is never counted as negative.</p>`;
  return {
    id: 'balance',
    heading: 'Images and labels',
    content: [
      lead,
      doubled.map((sentence) => notice('odd', sentence)),
      labels.file === '' && notice('odd', 'There is no label file: nothing is labelled.'),
      sideBySide(card('By set', chart), labels.file !== '' && card('The label file', labelTable(facts))),
      card('In numbers', setTable(facts)),
      change.length > 0 && card('What stage 2 changed', html`<ul>${change.map((line) => html`<li>${line}</li>`)}</ul>`),
      labels.file !== '' &&
        withoutImage.length + unlabelled.length === 0 &&
        notice('good', 'Every label row has its image, and every image that should have a label row has one.'),
      sideBySide(
        listed(`${counted(unlabelled.length, 'image')} without the label row expected`, unlabelled),
        listed(`${counted(withoutImage.length, 'label id')} without an image`, withoutImage),
      ),
    ],
  };
}

function setTable({ counts, sets }: DataFacts): Html {
  const row = (name: string, set: SetCounts) => [
    name,
    ...[set.files, set.images, set.labelled, set.positive].map(count),
    percent(set.positive, set.labelled),
    ...[set.negative, set.unlabelled, set.quarantined].map(count),
  ];
  const columns = HEADINGS.map((heading, index) => ({ heading, numeric: index > 0 }));
  const rows = [...sets.map((set) => row(set.set, set)), ...(sets.length > 1 ? [row('all', counts)] : [])];
  return table({ caption: 'Images by set', columns, rows });
}

function labelTable({ labels, counts }: DataFacts): Html {
  const rows = [
    ['File', html`<code>${labels.file}</code>`],
    ['Written with', labels.dialect],
    ['Rows', `${count(labels.rows)}, about ${counted(labels.images, 'image')}`],
    ['Images with a row', `${count(counts.labelled)} of ${count(counts.images)}`],
  ];
  const columns = [{ heading: 'What' }, { heading: 'Found' }];
  return table({ caption: 'How the label file is written', columns, rows });
}

function listed(heading: string, ids: readonly string[]): Html | undefined {
  return ids.length === 0 ? undefined : card(heading, idList(ids));
}
