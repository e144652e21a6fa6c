import Table from 'cli-table3';
import type { Terminal } from '../core/terminal.ts';
import type { FoldImage } from '../data/draw-folds.ts';
import type { FoldRow } from '../data/folds.ts';
import { foldsOfPatients, type Leakage } from '../data/leakage.ts';
import type { PatientSources } from '../data/patient-table.ts';

/** Pairs of pictures that are named; the record has all. */
const PAIRS_SHOWN = 10;

/** Prints what each fold holds. */
export function sayFolds(folds: readonly FoldRow[], images: readonly FoldImage[], terminal: Terminal): void {
  const head = ['fold', 'images', 'positive', 'median mask', 'patients'];
  const table = new Table({ head, style: { head: [], border: [] } });
  const areas = new Map(images.filter(({ positive }) => positive).map(({ id, maskArea }) => [id, maskArea]));
  const patients = [...foldsOfPatients(folds).values()];
  for (const fold of [...new Set(folds.map((row) => row.fold))].sort((a, b) => a - b)) {
    const rows = folds.filter((row) => row.fold === fold);
    const masks = rows.flatMap(({ imageId }) => areas.get(imageId) ?? []).sort((a, b) => a - b);
    const share = `${((100 * masks.length) / rows.length).toFixed(1)} %`;
    const median = masks[Math.floor(masks.length / 2)];
    const size = median === undefined ? '' : `${median} px`;
    const name = fold === -1 ? '-1 (always trains)' : fold;
    table.push([name, rows.length, share, size, patients.filter((each) => each.has(fold)).length]);
  }
  terminal.say(table.toString());
}

/** Prints what leaks between the folds, and what leaks unseen. */
export function sayLeakage(folds: readonly FoldRow[], leakage: Leakage, terminal: Terminal): void {
  const known = foldsOfPatients(folds).size;
  terminal.say(`leakage      ${leakage.patients} of ${known} patients have images in more than one fold`);
  if (leakage.images > 0) {
    const share = ((100 * leakage.images) / folds.length).toFixed(1);
    terminal.say(`             ${leakage.images} images (${share} %) have their patient in another fold`);
  }
  const { duplicates } = leakage;
  if (duplicates === undefined) {
    terminal.say('             near-duplicates: unknown, the catalogue has no hashes of pictures');
  } else {
    const pairs =
      duplicates.length === 1
        ? '1 pair of nearly equal pictures is'
        : `${duplicates.length} pairs of nearly equal pictures are`;
    terminal.say(`             ${pairs} in different folds`);
    for (const [a, b] of duplicates.slice(0, PAIRS_SHOWN)) terminal.say(`               ${a}  ${b}`);
    if (duplicates.length > PAIRS_SHOWN) terminal.say('               … (the record has them all)');
  }
  const unknown = folds.filter((row) => row.patientId === '').length;
  if (unknown === 0) return;
  terminal.warn(
    `${unknown} images have no patient id: each is a group of its own, and leakage among them cannot be seen.`,
  );
}

/** Prints where the patients come from. */
export function sayPatients(file: string, sources: PatientSources, strange: number, terminal: Terminal): void {
  terminal.say(
    `patients     ${sources.table} images by ${file}, ${sources.sameTag} by the tag that they share with these, ` +
      `${sources.tag} by their own tag, ${sources.unknown} unknown`,
  );
  if (sources.tag > 0) {
    terminal.warn(`${sources.tag} images are not in ${file}: a patient with images here and there may leak unseen.`);
  }
  if (strange > 0)
    terminal.say(`             ${file} also names ${strange} images that are not among the labelled ones`);
}
