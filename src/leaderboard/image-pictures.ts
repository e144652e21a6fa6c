import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { resolvePath } from '../config/paths.ts';
import { messageOf } from '../core/errors.ts';
import type { GrayImage, Mask } from '../core/image.ts';
import { type Runs, runsToMask } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';
import { checkCache } from '../data/cache-index.ts';
import { cachePath, describeCache } from '../data/cache-key.ts';
import { openCatalogue } from '../data/open-catalogue.ts';
import { openPixelFile } from '../data/pixel-file.ts';
import { normalisationConfig } from '../dicom/normalisation.ts';
import { validationMask } from '../predict/image-scores.ts';
import { predictionsPath } from '../predict/predictor.ts';
import { openProbabilityStore } from '../predict/probability-store.ts';
import type { RunSummary } from '../tracking/runs.ts';
import type { ScoredRun } from './run-scores.ts';

/** Images of a data set, as a run sees them. */
export interface ImageSource {
  /** Whether it is among the usable images of the data root. */
  has(id: string): boolean;
  pixelsOf(id: string): GrayImage;
  truthOf(id: string): Mask;
  close(): void;
}

/** What of a resolved configuration says where the pixels are; all of it would load the losses, and TensorFlow with them. */
const pixelFacts = z.object({
  resolution: z.int(),
  data: z.object({ root: z.string(), normalisation: normalisationConfig }),
});

/** Opens the images of a run's data where its pixel cache is there, or says why there are none. */
export async function openImages(run: RunSummary, cwd: string, terminal: Terminal): Promise<ImageSource | string> {
  try {
    const { data, resolution } = pixelFacts.parse(parse(await readFile(run.config, 'utf8')));
    const root = resolvePath(data.root, cwd);
    const { rows, labels } = await openCatalogue({ root }, terminal);
    const sources = rows.filter((row) => row.quarantined === '');
    const content = { root, resolution, normalisation: data.normalisation, sources };
    const path = cachePath(content);
    const state = await checkCache(path, describeCache(content), 'size');
    if (state !== 'good') return `there is no pixel cache at ${resolution}² in ${data.root} (${state})`;
    const places = new Map(sources.map(({ imageId }, place) => [imageId, place]));
    const file = openPixelFile(path, sources.length, resolution);
    return {
      has: (id) => places.has(id),
      pixelsOf: (id) => {
        const pixels = new Uint8Array(resolution ** 2);
        file.read(places.get(id)!, pixels);
        return { width: resolution, height: resolution, data: pixels };
      },
      truthOf: (id) => runsToMask(labels.truth.get(id) as Runs),
      close: file.close,
    };
  } catch (error) {
    return messageOf(error);
  }
}

/** Masks that a run's checkpoint predicts, as validation cuts them. */
export interface MaskSource {
  maskOf(id: string): Mask;
  close(): void;
}

/** Opens what a run, or the runs of its folds, have stored; undefined where something is missing. Throws Error where it is damaged. */
export async function openMasks({ run, checkpoint, parts }: ScoredRun): Promise<MaskSource | undefined> {
  if (parts.length > 0) return await openParts(parts);
  if (checkpoint === undefined) return undefined;
  const path = predictionsPath(run.dir, checkpoint, 'oof', ['none']);
  if (!existsSync(path)) return undefined;
  const store = await openProbabilityStore(path);
  return { maskOf: (id) => validationMask(store.read(id), store.resolution), close: store.close };
}

async function openParts(parts: readonly ScoredRun[]): Promise<MaskSource | undefined> {
  const sources = new Map<string, MaskSource>();
  const close = () => {
    for (const source of new Set(sources.values())) source.close();
  };
  for (const part of parts) {
    const source = await openMasks(part);
    if (source === undefined) {
      close();
      return undefined;
    }
    for (const { id } of part.images ?? []) sources.set(id, source);
  }
  return { maskOf: (id) => sources.get(id)!.maskOf(id), close };
}
