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
  const labels = report.labelFile === undefined ? 'none' : `${report.labelFile.path} (${report.dialect})`;
  terminal.say(`images       ${counts.images} (${counts.bySet})`);
  terminal.say(`labels       ${labels}`);
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

function speakOddities(report: IngestReport, counts: IngestSummary, terminal: Terminal): void {
  const odd = (label: string, items: readonly string[]) => {
    if (items.length === 0) return;
    terminal.warn(`${items.length} ${label}:`);
    for (const item of items.slice(0, LISTED)) terminal.warn(`  ${item}`);
    if (items.length > LISTED) terminal.warn(`  … and ${items.length - LISTED} more`);
  };
  odd('files cannot be used and are set aside', counts.quarantinedReasons);
  odd(
    'images have no label row where one is expected; they are left out, not taken as negative',
    counts.oddlyUnlabelled,
  );
  odd('label rows name an image that is not there', report.withoutImage);
  odd('images have notes', counts.notes);
  for (const doubled of report.doubled) terminal.warn(describeDoubledRows(doubled));
}
