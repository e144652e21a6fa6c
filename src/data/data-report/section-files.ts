import { type Html, html } from '../../pages/html.ts';
import { count, counted } from '../../pages/numbers.ts';
import { card, notice, type Section, sideBySide } from '../../pages/page.ts';
import { pictures } from '../../pages/picture.ts';
import { table } from '../../pages/table.ts';
import { hashDistance } from '../perceptual-hash.ts';
import type { DuplicateGroup } from './duplicates.ts';
import type { DataFacts } from './facts.ts';
import type { NamedCount } from './files.ts';
import { type Gallery, shortId } from './gallery.ts';
import { LISTED, more } from './lists.ts';

/** How many groups of duplicates are shown as pictures. */
const SHOWN = 8;

/** Nearly equal pictures. */
export async function duplicateSection({ duplicates, counts }: DataFacts, gallery: Gallery): Promise<Section> {
  const { groups, hashed } = duplicates;
  const section = { id: 'duplicates', heading: 'Duplicates' };
  const method = html`<p>By a perceptual hash of ${count(hashed)} of ${count(counts.images)} images, which re-encoding, resizing and
brightening hardly change; turned or cropped copies are not found.</p>`;
  if (groups.length === 0)
    return { ...section, content: [method, notice('good', 'No two images show the same picture.')] };
  const images = groups.reduce((sum, { ids }) => sum + ids.length, 0);
  const contradicting = groups.filter(({ contradicts }) => contradicts).length;
  const figures: Html[] = [];
  for (const group of groups.slice(0, SHOWN)) figures.push(await showGroup(group, gallery));
  const rows = groups
    .slice(0, LISTED)
    .map(({ ids, contradicts, severalPatients }) => [
      html`<code>${ids.slice(0, 12).join(' ')}</code>${ids.length > 12 && ' …'}`,
      count(ids.length),
      contradicts ? 'yes' : 'no',
      severalPatients ? 'yes' : 'no',
    ]);
  const columns = [
    { heading: 'Images' },
    { heading: 'Size', numeric: true },
    { heading: 'Labels differ' },
    { heading: 'Patients differ' },
  ];
  return {
    ...section,
    content: [
      method,
      notice(
        'odd',
        `${counted(images, 'image')} in ${counted(groups.length, 'group')} show nearly the same picture`,
        contradicting > 0 && `; in ${counted(contradicting, 'group')} some are positive and some negative`,
        '.',
      ),
      card('The largest groups', pictures(figures, 'pairs')),
      card('All groups', table({ caption: 'Groups of nearly equal pictures', columns, rows }), more(groups.length)),
    ],
  };
}

async function showGroup({ ids, contradicts, severalPatients }: DuplicateGroup, gallery: Gallery): Promise<Html> {
  const [a, b] = [gallery.find(ids[0]!)!, gallery.find(ids[1]!)!];
  const oddities = [contradicts ? 'labels differ' : '', severalPatients ? 'patients differ' : ''];
  const bits = `${hashDistance(a.phash, b.phash)} of 256 bits differ`;
  const what = html`${shortId(a.imageId)} ${shortId(b.imageId)}${ids.length > 2 && ` of ${count(ids.length)}`}`;
  return await gallery.showPair(a, b, what, [bits, ...oddities].filter((text) => text !== '').join(' · '));
}

/** How files are written, and what is odd about them. */
export function fileSection({ files }: DataFacts): Section {
  const counts = (heading: string, entries: readonly NamedCount[]) =>
    table({
      caption: `Usable files by ${heading.toLowerCase()}`,
      columns: [{ heading }, { heading: 'Files', numeric: true }],
      rows: entries.slice(0, LISTED).map(({ name, count: files }) => [name, count(files)]),
    });
  return {
    id: 'files',
    heading: 'Files',
    content: [
      sideBySide(
        card('Transfer syntax', counts('Transfer syntax', files.syntaxes)),
        card('Picture size', counts('Columns × rows', files.sizes)),
      ),
      files.notes.length > 0 && card('Odd, but usable', counts('Note', files.notes)),
    ],
  };
}

/** Files that cannot be used. */
export function quarantineSection({ quarantine, counts }: DataFacts): Section {
  const section = { id: 'quarantine', heading: 'Quarantine' };
  if (quarantine.length === 0) {
    return { ...section, content: notice('good', `All ${counted(counts.files, 'file')} can be used.`) };
  }
  const rows = quarantine
    .slice(0, LISTED)
    .map(({ file, reason }) => [html`<code>${file}</code>`, withoutFile(reason, file)]);
  const columns = [{ heading: 'File' }, { heading: 'Why it cannot be used' }];
  return {
    ...section,
    content: [
      notice(
        'odd',
        `${counted(quarantine.length, 'file')} cannot be used and ${quarantine.length === 1 ? 'is' : 'are'} set aside.`,
      ),
      card('Set aside', table({ caption: 'Files that cannot be used', columns, rows }), more(quarantine.length)),
    ],
  };
}

/** The file is named in the first column already. */
function withoutFile(reason: string, file: string): string {
  return reason.replace(` for ${file}`, '').replace(`${file}: `, '');
}
