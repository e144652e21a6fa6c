import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/core/errors.ts';
import { createRng } from '../../src/core/random.ts';
import { planPhantom } from '../../src/data/phantom/plan.ts';
import { encodeRadiograph } from '../../src/data/phantom/radiograph-file.ts';
import { renderRadiograph } from '../../src/data/phantom/render.ts';
import { decodePixels } from '../../src/dicom/decode.ts';
import { type NormalisationConfig, normalisationConfig } from '../../src/dicom/normalisation.ts';
import { normalise } from '../../src/dicom/normalise.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import { CORPUS, NO_CORPUS } from './corpus-files.ts';
import type { FuzzReport } from './fuzz.ts';
import { type CodecGolden, fromBase64, readGolden } from './golden.ts';
import { mutate } from './mutate.ts';

/** Decodes damaged files one after another and says what came of it: a process of its own, since it may die. */
const [first, count, megabytes] = process.argv.slice(2).map(Number) as [number, number, number];
const SEED = 20190619;
const CONFIGS: NormalisationConfig[] = ['none', 'window', 'minmax', 'clahe'].map((name) =>
  normalisationConfig.parse({ name }),
);

/** Small files of every transfer syntax, two phantom radiographs, and the real files where they are at hand. */
async function readSources(): Promise<Uint8Array[]> {
  const small = readGolden<CodecGolden>('dicom-codecs.json').files.map(({ file }) => fromBase64(file));
  const planned = planPhantom(4, SEED).slice(0, 2);
  const phantom = planned.map((image) => encodeRadiograph(image, renderRadiograph(image, SEED).pixels, SEED));
  const names = NO_CORPUS === false ? Object.keys(readGolden<Record<string, unknown>>('dicom-corpus.json')) : [];
  const real = names
    .map((name) => readFileSync(join(CORPUS, name)))
    .filter(({ length }) => length < megabytes * 2 ** 20);
  return [...small, ...(await Promise.all(phantom)), ...real];
}

async function decode(bytes: Uint8Array, config: NormalisationConfig): Promise<'decoded' | 'refused'> {
  try {
    const dicom = parseDicom(bytes, 'x.dcm');
    const { image } = normalise(await decodePixels(dicom), dicom.header, config);
    if (image.data.length !== dicom.header.rows * dicom.header.columns) throw new Error('another number of pixels');
    return 'decoded';
  } catch (error) {
    if (error instanceof UserError && error.message.includes('x.dcm')) return 'refused';
    throw error;
  }
}

async function run(): Promise<FuzzReport> {
  const sources = await readSources();
  const report: FuzzReport = { decoded: 0, refused: 0, slowest: { number: -1, seconds: 0 }, largest: 0 };
  for (let number = first; number < first + count; number++) {
    process.stderr.write(`${number}\n`);
    const rng = createRng(SEED, 'fuzz', number);
    const bytes = mutate(sources[number % sources.length]!, rng);
    const before = process.cpuUsage();
    report[await decode(bytes, CONFIGS[number % CONFIGS.length]!)] += 1;
    const used = process.cpuUsage(before);
    const seconds = (used.user + used.system) / 1e6;
    if (seconds > report.slowest.seconds) report.slowest = { number, seconds };
    report.largest = Math.max(report.largest, process.memoryUsage.rss());
  }
  return report;
}

process.stdout.write(JSON.stringify(await run()));
