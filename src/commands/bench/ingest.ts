import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { readSettings } from '../../config/settings.ts';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import type { Terminal } from '../../core/terminal.ts';
import { writePhantom } from '../../data/phantom/index.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { readWhole } from '../values.ts';
import { ensureBenchPython } from './bench-python.ts';
import { type IngestContender, listIngestContenders } from './ingest/contenders.ts';
import { type IngestRow, ingestReport, ratiosOfIngest } from './ingest/report.ts';
import { describeMachine } from './peers/machine.ts';

const SEED = 42;

/**
 * `npm run bench ingest [images=360 | data=…] [rounds=2]`: how many files of a phantom become 1024² PNG files and a 512² cache in
 * a second, here and by pydicom with Pillow in two processes. All take their turn. Writes `reports/bench-ingest.md`.
 */
export async function benchIngest({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const images = readWhole('images', values.images ?? '360');
  const rounds = readWhole('rounds', values.rounds ?? '2');
  const { cacheDir } = await readSettings(cwd);
  const python = await ensureBenchPython(cacheDir, terminal, signal);
  const folder = await mkdtemp(join(tmpdir(), 'bench-ingest-'));
  try {
    const root = values.data === undefined ? join(folder, 'phantom') : resolve(cwd, values.data);
    if (values.data === undefined) await writePhantom({ root, images, seed: SEED, signal }, terminal);
    const contenders = await listIngestContenders({ root, out: join(folder, 'out'), python, signal });
    const rows = await measureAll(contenders, rounds, terminal, signal);
    const head = {
      command: ['npm run bench ingest', ...Object.entries(values).map(([key, value]) => `${key}=${value}`)].join(' '),
      date: new Date().toISOString().slice(0, 10),
      machine: await describeMachine(),
      files: contenders[0]!.files,
      rounds,
    };
    const path = resolve(cwd, 'reports/bench-ingest.md');
    const report = ingestReport(head, rows);
    await writeFileAtomic(path, report);
    terminal.say(report);
    terminal.say(`${relative(cwd, path)} has the same.`);
    return { json: { files: head.files, rows, ratios: ratiosOfIngest(rows), report: path } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A first round fills the system's page cache and is not counted. */
async function measureAll(
  contenders: readonly IngestContender[],
  rounds: number,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<IngestRow[]> {
  const seconds = contenders.map((): number[] => []);
  const rows: IngestRow[] = [];
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { title, run, files, ...contender }] of contenders.entries()) {
      signal.throwIfAborted();
      const measured = await run();
      const rate = (files / measured.seconds).toFixed(1);
      terminal.say(`${round === 0 ? 'warming up' : `round ${round}`}: ${title}, ${rate} files a second`);
      if (round > 0) seconds[index]!.push(measured.seconds);
      rows[index] = {
        title,
        ...contender,
        per_second: 0,
        bytes_per_file: measured.bytes / files,
        versions: measured.versions,
        ...(measured.difference === undefined ? {} : { difference: measured.difference }),
      };
    }
  }
  return rows.map((row, index) => ({ ...row, per_second: contenders[index]!.files / median(seconds[index]!) }));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}
