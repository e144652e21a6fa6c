/**
 * All that belongs to SIIM-ACR Pneumothorax Segmentation alone; another competition is another file like this one.
 * Source: the competition's data and evaluation pages; counts in docs/reference/competition.md.
 */

/** Side of every image and mask in pixels; run-length codes, areas and the metric speak of this grid. */
export const MASK_SIZE = 1024;

/** What an empty mask is written as. */
export const EMPTY_RLE = '-1';

/** The three sets of images that the competition hands out. */
export const IMAGE_SETS = ['stage1-train', 'stage1-test', 'stage2-test'] as const;
export type ImageSet = (typeof IMAGE_SETS)[number];

/** Where each set's DICOM files lie under the data root: two as `<study>/<series>/<sop>.dcm`, the last one flat. */
export const IMAGE_FOLDERS: Record<ImageSet, string> = {
  'stage1-train': 'dicom-images-train',
  'stage1-test': 'dicom-images-test',
  'stage2-test': 'stage_2_images',
};

/** The two stages of submission. */
export const STAGES = [1, 2] as const;
export type Stage = (typeof STAGES)[number];

/** The images that each stage's submission is about, and the sample that gives its ids, order and multiplicity. */
export const STAGE_FILES: Record<Stage, { images: ImageSet; sample: string }> = {
  1: { images: 'stage1-test', sample: 'sample_submission.csv' },
  2: { images: 'stage2-test', sample: 'stage_2_sample_submission.csv' },
};

/** Label files by the stage that they came with: stage 2's covers stage 1's training and test images. */
export const LABEL_FILES: Record<Stage, string> = { 1: 'train-rle.csv', 2: 'stage_2_train.csv' };

/** The header of a submission and of label files (some writers put a space after the comma). */
export const CSV_COLUMNS = ['ImageId', 'EncodedPixels'] as const;

/** The competition's name on Kaggle, in addresses and for its command-line tool. */
export const KAGGLE_COMPETITION = 'siim-acr-pneumothorax-segmentation';

/** So many submissions a team may send in a day (UTC), and so many count in the end (the competition's rules page). */
export const SUBMISSIONS_A_DAY = 5;
export const FINAL_SUBMISSIONS = 2;
