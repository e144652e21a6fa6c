import { basename } from 'node:path';
import { describeDoubledRows } from '../doubled-rows.ts';
import type { IngestReport } from '../ingest.ts';
import { summarise } from '../ingest-report.ts';
import type { Labels } from '../labels.ts';
import { describeStageChange } from '../stage-change.ts';

/** The label file and how it fits the images. */
export interface LabelFacts {
  /** The label file's own name; '' where there is none. */
  file: string;
  /** How it is written. */
  dialect: string;
  /** Its rows, and how many images they are about. */
  rows: number;
  images: number;
  /** Ids of rows that no image file has. */
  withoutImage: string[];
  /** Ids of images without a label row in sets that the label file is about. */
  unlabelled: string[];
  /** Sentences about samples that repeat ids. */
  doubled: string[];
  /** Sentences about what stage 2's labels changed. */
  change: string[];
}

/** Describes the labels of an ingest. */
export function describeLabels(report: IngestReport, labels: Labels): LabelFacts {
  return {
    file: report.labelFile === undefined ? '' : basename(report.labelFile.path),
    dialect: report.dialect,
    rows: labels.rows.length,
    images: labels.truth.size,
    withoutImage: report.withoutImage,
    unlabelled: summarise(report).oddlyUnlabelled,
    doubled: report.doubled.map(describeDoubledRows),
    change: report.change === undefined ? [] : describeStageChange(report.change),
  };
}
