import { html } from '../../pages/html.ts';
import { count, counted, percent } from '../../pages/numbers.ts';
import { page, type Tile } from '../../pages/page.ts';
import type { CatalogueRow } from '../catalogue.ts';
import type { Exposure } from './exposure.ts';
import type { DataFacts } from './facts.ts';
import type { Gallery } from './gallery.ts';
import { exposureSection } from './section-exposure.ts';
import { duplicateSection, fileSection, quarantineSection } from './section-files.ts';
import { balanceSection } from './section-labels.ts';
import { maskSection } from './section-masks.ts';
import { patientSection, peopleSection } from './section-people.ts';

/** The whole page of a data report; the same facts and pictures give the same text. */
export async function dataPage(
  facts: DataFacts,
  usable: readonly CatalogueRow[],
  gallery: Gallery,
  { meanPicture }: Exposure,
): Promise<string> {
  const { counts, name, files, digest } = facts;
  return page({
    title: name,
    kind: 'Data report',
    lead: html`${counted(counts.files, 'image file')} (${(files.bytes / 1e9).toFixed(2)} GB) as <code>npm run ingest</code> found them:
what can be used, what is labelled, and what is odd.`,
    tiles: tilesOf(facts),
    sections: [
      await balanceSection(facts),
      await maskSection(facts, usable, gallery, meanPicture),
      await peopleSection(facts),
      await patientSection(facts),
      await exposureSection(facts, gallery),
      await duplicateSection(facts, gallery),
      fileSection(facts),
      quarantineSection(facts),
    ],
    footer: html`<p>Data digest <code>${digest.slice(0, 16)}</code>. The numbers are in the JSON file beside this page. It shows images of
the data set: keep it where the data may be.</p>`,
  });
}

function tilesOf({ counts, patients, duplicates }: DataFacts): Tile[] {
  const groups = duplicates.groups.length;
  return [
    { label: 'Images', value: count(counts.images), note: 'usable' },
    { label: 'Labelled', value: count(counts.labelled), note: percent(counts.labelled, counts.images) },
    {
      label: 'Positive',
      value: count(counts.positive),
      note: `${percent(counts.positive, counts.labelled)} of labelled`,
    },
    { label: 'Unlabelled', value: count(counts.unlabelled), note: 'not used in training' },
    { label: 'Patients', value: count(patients.patients), note: `${count(patients.sharing)} images share one` },
    { label: 'Duplicates', value: count(groups), note: groups === 1 ? 'group' : 'groups', warns: groups > 0 },
    { label: 'Set aside', value: count(counts.quarantined), note: 'cannot be used', warns: counts.quarantined > 0 },
  ];
}
