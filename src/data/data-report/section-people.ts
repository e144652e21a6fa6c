import { type Bar, type Bin, bars, histogram } from '../../pages/charts.ts';
import { html } from '../../pages/html.ts';
import { count, counted, percent } from '../../pages/numbers.ts';
import { card, type Section, sideBySide, stacked } from '../../pages/page.ts';
import { table } from '../../pages/table.ts';
import type { DataFacts } from './facts.ts';
import { KINDS } from './sets.ts';

/** View, sex and age. */
export async function peopleSection({ people }: DataFacts): Promise<Section> {
  const { views, sexes, ages, withoutAge } = people;
  const chart = async (axis: string, groups: readonly Bar[]) =>
    await bars({ caption: `Images by ${axis.toLowerCase()}`, axis, bars: groups, series: KINDS });
  const age = ages.length > 0 && (await ageChart(ages));
  const unknown =
    withoutAge > 0 && html`<p>${counted(withoutAge, 'image')} without an age, or with one over 120, not drawn.</p>`;
  const groups = [...named('view', views), ...named('sex', sexes)];
  const columns = [{ heading: 'Group' }, ...['Images', 'Labelled', 'Positive', 'Share'].map(numeric)];
  const rows = groups.map(({ name, counts: [positive = 0, negative = 0, unlabelled = 0] }) => [
    name,
    ...[positive + negative + unlabelled, positive + negative, positive].map(count),
    percent(positive, positive + negative),
  ]);
  return {
    id: 'people',
    heading: 'View, sex and age',
    content: [
      sideBySide(card('View position', await chart('View', views)), card('Sex', await chart('Sex', sexes))),
      sideBySide(
        card('Age', age, unknown),
        card('How often each is positive', table({ caption: 'Class balance by group', columns, rows })),
      ),
    ],
  };
}

async function ageChart(ages: readonly Bin[]) {
  return await histogram({ caption: 'Images by age', axis: 'age in years', bins: ages, series: KINDS });
}

/** Patients with several images, and what one image tells of another. */
export async function patientSection({ patients, counts }: DataFacts): Promise<Section> {
  const { imagesEach, besidePositive, besideNegative, largest, sharing, withoutPatient } = patients;
  if (patients.patients === 0) {
    const content = html`<p>No file names a patient: folds cannot keep patients together unless a table of patients is given.</p>`;
    return { id: 'patients', heading: 'Patients', content };
  }
  const chart = await bars({
    caption: 'Patients by number of images',
    axis: 'Images of one patient',
    unit: 'patients',
    bars: imagesEach,
    series: [{ name: 'patients', tone: 'plain' }],
  });
  const columns = [{ heading: 'Labelled images whose patient has' }, numeric('Images'), numeric('Positive')];
  const rows = [
    ['another positive image', count(besidePositive.images), percent(besidePositive.positive, besidePositive.images)],
    ['others, all negative', count(besideNegative.images), percent(besideNegative.positive, besideNegative.images)],
    ['any or none (all labelled)', count(counts.labelled), percent(counts.positive, counts.labelled)],
  ];
  const most = {
    columns: [{ heading: 'Patient' }, numeric('Images'), numeric('Positive')],
    rows: largest.map(({ patientId, images, positive }) => [
      html`<code>${patientId}</code>`,
      count(images),
      count(positive),
    ]),
  };
  return {
    id: 'patients',
    heading: 'Patients',
    content: [
      html`<p>${counted(patients.patients, 'patient')}; ${counted(sharing, 'image')} share a patient with another image, and
${counted(withoutPatient, 'image')} name none. Where one image of a patient tells of another, folds must keep them together.</p>`,
      sideBySide(
        card('Images of a patient', chart),
        stacked(
          card('What the others tell', table({ caption: 'Class balance beside other images', columns, rows })),
          largest.length > 0 && card('With most images', table({ caption: 'Patients with most images', ...most })),
        ),
      ),
    ],
  };
}

function named(what: string, groups: readonly Bar[]): Bar[] {
  return groups.map(({ name, counts }) => ({ name: `${what} ${name}`, counts }));
}

function numeric(heading: string) {
  return { heading, numeric: true };
}
