import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { MASK_SIZE } from '../../../core/competition.ts';
import { silentTerminal } from '../../../core/terminal.ts';
import { ingest } from '../../../data/ingest.ts';
import { ensurePixelCache } from '../../../data/pixel-cache.ts';
import { writePngs } from '../../../data/write-pngs.ts';
import { NORMALISATION_NONE } from '../../../dicom/normalisation.ts';

/** What both sides are given: two cores. */
const PROCESSES = 2;
/** Side of the cache. */
export const CACHE_SIDE = 512;

/** One way of turning the files into something. */
export interface IngestContender {
  title: string;
  /** What comes out. */
  kind: 'png' | 'cache' | 'ingest';
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
  const cached = { ...content, resolution: CACHE_SIDE, verify: 'size' as const };
  const ours = (title: string, kind: IngestContender['kind'], work: () => Promise<number>): IngestContender => {
    const run = async () => {
      await rm(join(root, 'cache'), { recursive: true, force: true });
      const started = performance.now();
      const bytes = await work();
      return { seconds: (performance.now() - started) / 1000, bytes, versions: {} };
    };
    return { title, kind, ours: true, files, run };
  };
  const peer = (title: string, kind: 'png' | 'cache', level: number): IngestContender => {
    const job = { files: paths, out, kind, level, side: CACHE_SIDE, processes: PROCESSES };
    return { title, kind, ours: false, files, run: () => runPeer(python, job, signal) };
  };
  const sizeOf = async (path: string) => (await stat(path)).size;
  return [
    ours('the harness', 'png', async () => {
      const folder = await writePngs({ ...content, resolution: MASK_SIZE }, silentTerminal);
      const sizes = await Promise.all(sources.map(({ imageId }) => sizeOf(join(folder, `${imageId}.png`))));
      return sizes.reduce((sum, size) => sum + size, 0);
    }),
    peer('pydicom + Pillow', 'png', 6),
    peer('pydicom + Pillow, packed as lightly as ours', 'png', 1),
    ours('the harness', 'cache', async () => await sizeOf(await ensurePixelCache(cached, silentTerminal))),
    peer('pydicom + Pillow', 'cache', 0),
    ours('the harness: `ingest resolution=512`, every check', 'ingest', async () => {
      const { cache } = await ingest({ root, resolution: CACHE_SIDE, workers: PROCESSES, signal }, silentTerminal);
      return await sizeOf(cache);
    }),
  ];
}

async function runPeer(python: string, job: { out: string; kind: string }, signal: AbortSignal): Promise<Measured> {
  await rm(job.out, { recursive: true, force: true });
  if (job.kind === 'png') await mkdir(job.out);
  const script = join(import.meta.dirname, 'pydicom_pillow.py');
  const { stdout } = await execa(python, [script], { input: JSON.stringify(job), cancelSignal: signal });
  return JSON.parse(stdout) as Measured;
}
