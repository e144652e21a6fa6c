import { LABEL_FILES } from '../core/competition.ts';
import type { Terminal } from '../core/terminal.ts';
import { describeDoubledRows } from '../data/doubled-rows.ts';
import type { IngestReport } from '../data/ingest.ts';
import type { IngestSummary } from '../data/ingest-report.ts';
import { describeStageChange } from '../data/stage-change.ts';

/** How many odd things of one kind are listed; catalogue.csv has them all. */
const LISTED = 5;

/** Says what an ingest found: what is odd first, as warnings, then the counts. */
export function speakIngest(report: IngestReport, counts: IngestSummary, terminal: Terminal): void {
  speakOddities(report, counts, terminal);
  terminal.say(`images       ${counts.images} (${counts.bySet})`);
  terminal.say(`labels       ${describeLabels(report)}`);
  terminal.say(`labelled     ${counts.labelled}, of them ${counts.positives} positive`);
  terminal.say(
    `unlabelled   ${counts.unlabelled}, of them ${counts.unlabelled - counts.oddlyUnlabelled.length} of a test set`,
  );
  terminal.say(`patients     ${counts.patients}`);
  terminal.say(`quarantined  ${counts.quarantined}`);
  if (report.unpacked > 0) {
    terminal.say(`archives     ${report.unpacked} images in them are not read, since they lie there unpacked too`);
  }
  for (const line of report.change === undefined ? [] : describeStageChange(report.change)) {
    terminal.say(`stage 2      ${line}`);
  }
  terminal.say(`catalogue    ${report.catalogue}`);
  if (report.cache !== '') terminal.say(`pixel cache  ${report.cache}`);
  if (report.png !== '') terminal.say(`PNG files    ${report.png}`);
}

function describeLabels({ labelFile, dialect, root }: IngestReport): string {
  if (labelFile !== undefined) return `${labelFile.path} (${dialect})`;
  return `none, so nothing to train on: put ${Object.values(LABEL_FILES).join(' or ')} into ${root} and ingest again`;
}

function speakOddities(report: IngestReport, counts: IngestSummary, terminal: Terminal): void {
  const odd = (one: string, many: string, items: readonly string[]) => {
    if (items.length === 0) return;
    terminal.warn(items.length === 1 ? `${one}:` : `${items.length} ${many}:`);
    for (const item of items.slice(0, LISTED)) terminal.warn(`  ${item}`);
    if (items.length > LISTED) terminal.warn(`  … and ${items.length - LISTED} more`);
  };
  odd('1 file cannot be used and is set aside', 'files cannot be used and are set aside', counts.quarantinedReasons);
  if (report.labelFile !== undefined) {
    odd(
      '1 image has no label row where one is expected; it is left out, not taken as negative',
      'images have no label row where one is expected; they are left out, not taken as negative',
      counts.oddlyUnlabelled,
    );
  }
  odd('1 labelled image is not there', 'labelled images are not there', report.withoutImage);
  odd('1 image has notes', 'images have notes', counts.notes);
  for (const doubled of report.doubled) terminal.warn(describeDoubledRows(doubled));
}
