import { stringify } from 'csv-stringify/sync';
import { kindOf } from '../metrics/confusion.ts';
import type { ScoredImage } from './score.ts';

/** A CSV with a line for every scored image: see docs/reference/files.md. */
export function imageScoresCsv(images: readonly ScoredImage[]): string {
  const header = ['image_id', 'dice', 'iou', 'kind', 'truth_area', 'predicted_area'];
  const rows = images.map((image) => [
    ...[image.id, String(image.dice), String(image.iou), kindOf(image)],
    ...[image.truthArea, image.predictedArea],
  ]);
  return stringify([header, ...rows], { record_delimiter: '\n' });
}

/**
 * The images that cost most: lowest Dice first, among equals those with the largest area that was missed or falsely drawn.
 * None that scores 1 is among them.
 */
export function worstImages(images: readonly ScoredImage[], count: number): ScoredImage[] {
  const area = ({ truthArea, predictedArea }: ScoredImage) => Math.max(truthArea, predictedArea);
  const order = (a: ScoredImage, b: ScoredImage) => a.dice - b.dice || area(b) - area(a) || (a.id < b.id ? -1 : 1);
  return images
    .filter(({ dice }) => dice < 1)
    .sort(order)
    .slice(0, count);
}
