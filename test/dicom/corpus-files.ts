import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../house/source-files.ts';

/** 19 real DICOM files of other projects (SOURCE.md beside them says whose), which are not in this repository. */
export const CORPUS = process.env.DICOM_CORPUS ?? join(PROJECT, '../shared/data/dicom');

/** Why tests of the real files are skipped; false where the files are there. */
export const NO_CORPUS = existsSync(join(CORPUS, 'manifest.csv'))
  ? false
  : `no real DICOM files at ${CORPUS}: name their folder in DICOM_CORPUS`;
