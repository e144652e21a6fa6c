import { basename, join } from 'node:path';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { measureExposure } from './data-report/exposure.ts';
import { countFacts } from './data-report/facts.ts';
import { openGallery } from './data-report/gallery.ts';
import { dataPage } from './data-report/page.ts';
import { openReportPixels } from './data-report/pixels.ts';
import { writingTo } from './disk.ts';
import type { IngestReport } from './ingest.ts';
import { readLabelsOf } from './join-labels.ts';
import { closeSources } from './source-bytes.ts';

export interface DataReportOptions {
  /** The HTML file to write, `….html`; the JSON file lies beside it. An older report there is replaced. */
  path: string;
  /** Stops the work when aborted. */
  signal?: AbortSignal;
}

/** Where the report of a data root lies when nothing else is said: `<folder>/reports/data-<the root's name>.html`. */
export function dataReportPath(folder: string, root: string): string {
  return join(folder, 'reports', `data-${basename(root)}.html`);
}

/**
 * Writes what ingest found as one HTML page with pictures that needs no other file, and as JSON (docs/reference/files.md).
 * Pictures come from the pixel cache where one was built; without it a sample of the files is decoded. The page shows
 * images of the data set: it is for the place where the data may be.
 * Throws UserError where the path is no `.html`, the disk refuses, or a file changed since ingest read it.
 */
export async function writeDataReport(
  report: IngestReport,
  { path, signal }: DataReportOptions,
  terminal: Terminal,
): Promise<{ html: string; json: string }> {
  const json = checkReportPath(path).replace(/\.html$/, '.json');
  const usable = report.rows.filter((row) => row.quarantined === '');
  const labels = await readLabelsOf(report.labelFile);
  const pixels = await openReportPixels(report, usable);
  const progress = terminal.progress('data report', pixels.sample.length);
  try {
    const exposure = await measureExposure(usable, pixels, () => progress.advance(), signal);
    const facts = countFacts(report, labels, exposure.facts);
    const page = await dataPage(facts, usable, openGallery(usable, labels, pixels), exposure);
    await writingTo(json, () => writeFileAtomic(json, formatFacts(facts)));
    await writingTo(path, () => writeFileAtomic(path, page));
  } finally {
    progress.stop();
    pixels.close();
    await closeSources();
  }
  return { html: path, json };
}

/** The path of a report as it is. Throws UserError where it does not end in `.html`. */
export function checkReportPath(path: string): string {
  if (!path.endsWith('.html')) throw new UserError(expected('a name that ends in .html, or false', 'report', path));
  return path;
}

/** One line for each key, so that two reports can be compared. */
function formatFacts(facts: object): string {
  const lines = Object.entries(facts).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}
