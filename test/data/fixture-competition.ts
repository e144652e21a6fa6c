import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { IMAGE_FOLDERS, type ImageSet } from '../../src/core/competition.ts';
import { createRng } from '../../src/core/random.ts';
import type { Terminal } from '../../src/core/terminal.ts';
import { grayPixelElements, TRANSFER_SYNTAX, writeDicom } from '../../src/dicom/write.ts';

/** Side of the fixture's pictures. */
export const SIDE = 48;

/** What is to be written of one image. */
export interface FixtureImage {
  id: string;
  set: ImageSet;
  patientId?: string;
}

/** A folder of its own that is gone after `remove`. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'harness-data-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A terminal that keeps what it is told. */
export function recordingTerminal(): Terminal & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    say: (line) => void lines.push(line),
    warn: (line) => void lines.push(`warning: ${line}`),
    progress: () => ({ advance: () => {}, stop: () => {} }),
  };
}

/** A smooth picture that differs by id, row-major. */
export function fixturePixels(id: string, side = SIDE): Uint8Array {
  const shift = createRng(1, id).integer(0, 100);
  return Uint8Array.from({ length: side * side }, (_, i) => shift + Math.floor(i / side) + (i % side));
}

/** The fixture's picture as a JPEG-Baseline DICOM file. */
export async function fixtureDicom({ id, patientId }: Omit<FixtureImage, 'set'>, side = SIDE): Promise<Uint8Array> {
  const raw = { width: side, height: side, channels: 1 as const };
  const jpeg = await sharp(fixturePixels(id, side), { raw }).toColourspace('b-w').jpeg({ quality: 95 }).toBuffer();
  return writeDicom({
    transferSyntax: TRANSFER_SYNTAX.jpegBaseline,
    elements: [
      { tag: 0x00080018, vr: 'UI', value: id },
      ...(patientId === undefined ? [] : [{ tag: 0x00100020, vr: 'LO' as const, value: patientId }]),
      { tag: 0x00100040, vr: 'CS', value: 'F' },
      { tag: 0x00101010, vr: 'AS', value: '38' },
      { tag: 0x00185101, vr: 'CS', value: 'PA' },
      { tag: 0x00280030, vr: 'DS', value: '0.14300000667572021\\0.14300000667572021' },
      ...grayPixelElements({ rows: side, columns: side, bitsAllocated: 8 }),
    ],
    pixelData: { fragments: [jpeg] },
  });
}

/** Where the competition puts an image, relative to the data root. */
export function fixtureFile({ id, set }: Pick<FixtureImage, 'id' | 'set'>): string {
  const folder = IMAGE_FOLDERS[set];
  return set === 'stage2-test' ? `${folder}/${id}.dcm` : `${folder}/study-${id}/series-${id}/${id}.dcm`;
}

/** Writes bytes under the root, folders and all. */
export async function put(root: string, file: string, data: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), data);
}

/** Writes images and a `train-rle.csv` of stage 1's dialect. */
export async function writeCompetition(
  root: string,
  images: readonly FixtureImage[],
  labels: readonly [id: string, rle: string][],
): Promise<void> {
  for (const image of images) await put(root, fixtureFile(image), await fixtureDicom(image));
  await put(
    root,
    'train-rle.csv',
    ['ImageId, EncodedPixels', ...labels.map(([id, rle]) => `${id}, ${rle}`), ''].join('\n'),
  );
}
