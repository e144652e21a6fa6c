import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { MASK_SIZE } from '../../../core/competition.ts';
import { expected } from '../../../core/errors.ts';
import { silentTerminal } from '../../../core/terminal.ts';
import { cachePath } from '../../../data/cache-key.ts';
import { ingest } from '../../../data/ingest.ts';
import { ensurePixelCache } from '../../../data/pixel-cache.ts';
import { writePngs } from '../../../data/write-pngs.ts';
import { NORMALISATION_NONE } from '../../../dicom/normalise.ts';

/** What both sides are given: two cores. */
const PROCESSES = 2;
/** Side of the cache. */
export const CACHE_SIDE = 512;
/** The cache takes every file so many times: with a few hundred, starting up would be a third of the time. */
export const REPEATS = 4;

/** One way of turning the files into something. */
export interface IngestContender {
  title: string;
  /** What comes out. */
  kind: 'png' | 'cache' | 'ingest' | 'decode';
  /** Whether it is the harness. */
  ours: boolean;
  files: number;
  run(): Promise<Measured>;
}

interface Measured {
  seconds: number;
  /** Of all that was written. */
  bytes: number;
  versions: Record<string, string>;
  /** Of the peer's cache from ours: the mean over all pixels, in grey levels. */
  difference?: number;
}

interface PeerJob {
  kind: 'png' | 'cache' | 'decode';
  /** Of zlib, for PNG. */
  level?: number;
  /** How Pillow shrinks, for the cache. */
  resample?: 'lanczos' | 'mean';
}

interface Place {
  /** A phantom, not ingested yet. */
  root: string;
  /** For what the peer writes. */
  out: string;
  python: string;
  signal: AbortSignal;
}

/** Ours and the peer's ways, those that are compared with one another side by side. */
export async function listIngestContenders({ root, out, python, signal }: Place): Promise<IngestContender[]> {
  const { rows: sources } = await ingest({ root, workers: PROCESSES, signal }, silentTerminal);
  const files = sources.length;
  const paths = sources.map(({ file }) => join(root, file));
  const content = { root, sources, normalisation: NORMALISATION_NONE, workers: PROCESSES, signal };
  const many = Array.from({ length: REPEATS }, (_, copy) =>
    sources.map((row) => ({ ...row, imageId: `${row.imageId}-${copy}` })),
  ).flat();
  const cached = { ...content, sources: many, resolution: CACHE_SIDE, verify: 'size' as const };
  const ours = (title: string, kind: IngestContender['kind'], work: () => Promise<number>): IngestContender => {
    const run = async () => {
      await rm(join(root, 'cache'), { recursive: true, force: true });
      const started = performance.now();
      const bytes = await work();
      return { seconds: (performance.now() - started) / 1000, bytes, versions: {} };
    };
    return { title, kind, ours: true, files: kind === 'cache' ? many.length : files, run };
  };
  const peer = (title: string, job: PeerJob): IngestContender => {
    const { kind } = job;
    const given = kind === 'png' ? paths : many.map(({ file }) => join(root, file));
    const run = async () => {
      const measured = await runPeer(
        python,
        { ...job, files: given, out, side: CACHE_SIDE, processes: PROCESSES },
        signal,
      );
      return kind === 'cache' ? { ...measured, difference: await meanDifference(cachePath(cached), out) } : measured;
    };
    return { title, kind, ours: false, files: given.length, run };
  };
  const sizeOf = async (path: string) => (await stat(path)).size;
  return [
    ours('the harness', 'png', async () => {
      const folder = await writePngs({ ...content, resolution: MASK_SIZE }, silentTerminal);
      const sizes = await Promise.all(sources.map(({ imageId }) => sizeOf(join(folder, `${imageId}.png`))));
      return sizes.reduce((sum, size) => sum + size, 0);
    }),
    peer('pydicom + Pillow', { kind: 'png', level: 6 }),
    peer('pydicom + Pillow, packed as lightly as ours', { kind: 'png', level: 1 }),
    ours('the harness', 'cache', async () => await sizeOf(await ensurePixelCache(cached, silentTerminal))),
    peer('pydicom + Pillow, Lanczos', { kind: 'cache', resample: 'lanczos' }),
    peer('pydicom + Pillow, the mean of four pixels as ours', { kind: 'cache', resample: 'mean' }),
    peer('Pillow, decoding alone', { kind: 'decode' }),
    ours('the harness: `ingest resolution=512`, every check', 'ingest', async () => {
      const { cache } = await ingest({ root, resolution: CACHE_SIDE, workers: PROCESSES, signal }, silentTerminal);
      return await sizeOf(cache);
    }),
  ];
}

/** Between two files of as many pixels. Throws where they are not as long. */
async function meanDifference(ours: string, theirs: string): Promise<number> {
  const [own, other] = await Promise.all([readFile(ours), readFile(theirs)]);
  if (own.length !== other.length) throw new Error(expected(`${own.length} bytes`, "the peer's cache", other.length));
  let sum = 0;
  for (let i = 0; i < own.length; i++) sum += Math.abs(own[i]! - other[i]!);
  return sum / own.length;
}

type WholeJob = PeerJob & { files: readonly string[]; out: string; side: number; processes: number };

async function runPeer(python: string, job: WholeJob, signal: AbortSignal): Promise<Measured> {
  await rm(job.out, { recursive: true, force: true });
  if (job.kind === 'png') await mkdir(job.out);
  const script = join(import.meta.dirname, 'pydicom_pillow.py');
  const { stdout } = await execa(python, [script], { input: JSON.stringify(job), cancelSignal: signal });
  return JSON.parse(stdout) as Measured;
}
