import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { writeFileAtomic } from '../../../core/atomic-file.ts';
import { STAGE_FILES } from '../../../core/competition.ts';
import { runsToMask } from '../../../core/rle.ts';
import type { Terminal } from '../../../core/terminal.ts';
import { readLabels } from '../../../data/labels.ts';
import { findComponents } from '../../../postprocess/components.ts';
import type { BuildFigures, BuildJob } from './build-child.ts';
import { writeSyntheticStore } from './synthetic.ts';

/** The report's own settings. */
export const SETTINGS = { threshold: 0.5, area: 2000 };
/** Sides of the members. */
export const RESOLUTIONS = [512, 768];

/** Components of the masks of a label file, alone. */
export interface ComponentFigures {
  masks: number;
  components: number;
  seconds: number;
}

/** The same in Python. */
export interface PythonFigures {
  seconds: number;
  /** Of its largest process. */
  peak_rss_bytes: number;
  components: ComponentFigures;
  versions: Record<string, string>;
}

/** Makes both members' probabilities and the sample, under `folder`. */
export async function prepare(
  folder: string,
  images: number,
  { seed, signal }: { seed: number; signal: AbortSignal },
  terminal: Terminal,
): Promise<BuildJob> {
  const job: BuildJob = {
    stores: [],
    dataRoot: join(folder, 'data'),
    folder: join(folder, 'submissions'),
    ...SETTINGS,
  };
  await mkdir(job.dataRoot, { recursive: true });
  const rows = Array.from({ length: images }, (_, image) => `image-${image},-1\n`);
  await writeFileAtomic(join(job.dataRoot, STAGE_FILES[2].sample), `ImageId,EncodedPixels\n${rows.join('')}`);
  const progress = terminal.progress('probabilities', images * RESOLUTIONS.length);
  try {
    for (const [member, resolution] of RESOLUTIONS.entries()) {
      const path = join(folder, `member-${member}.probs`);
      await writeSyntheticStore(path, { images, resolution, seed, member }, { progress, signal });
      job.stores.push(path);
    }
  } finally {
    progress.stop();
  }
  return job;
}

/** Ours, in a process of its own; what it wrote before is taken away first. */
export async function measureBuild(job: BuildJob, signal: AbortSignal): Promise<BuildFigures> {
  await rm(job.folder, { recursive: true, force: true });
  const script = join(import.meta.dirname, 'build-child.ts');
  const words = ['--import', import.meta.resolve('tsx'), script, JSON.stringify(job)];
  const { stdout } = await execa(process.execPath, words, { cancelSignal: signal });
  return JSON.parse(stdout) as BuildFigures;
}

/** Theirs, with as many processes. */
export async function measurePython(
  python: string,
  job: BuildJob,
  { labels, csv, processes, signal }: { labels: string; csv: string; processes: number; signal: AbortSignal },
): Promise<PythonFigures> {
  const script = join(import.meta.dirname, 'numpy_opencv.py');
  const { stores, threshold, area } = job;
  const input = JSON.stringify({ stores, threshold, area, processes, csv, labels });
  const { stdout } = await execa(python, [script], { input, cancelSignal: signal });
  return JSON.parse(stdout) as PythonFigures;
}

/** Ours on every mask of a label file. */
export async function measureComponents(labels: string): Promise<ComponentFigures> {
  const { truth } = await readLabels(labels);
  const figures: ComponentFigures = { masks: 0, components: 0, seconds: 0 };
  for (const runs of truth.values()) {
    if (runs.length === 0) continue;
    const mask = runsToMask(runs);
    const started = performance.now();
    const { areas } = findComponents(mask);
    figures.seconds += (performance.now() - started) / 1000;
    figures.masks++;
    figures.components += areas.length;
  }
  return figures;
}
