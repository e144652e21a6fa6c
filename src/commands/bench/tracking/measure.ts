import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Experiment } from '../../../config/experiment.ts';
import type { Settings } from '../../../config/settings.ts';
import { silentTerminal } from '../../../core/terminal.ts';
import { JOURNAL_FILE, readJournal } from '../../../tracking/journal.ts';
import { syncRun } from '../../../tracking/uploader.ts';
import { superviseRun } from '../../../train/supervise-run.ts';
import { openBenchServer } from './server.ts';
import type { Way } from './ways.ts';

/** What a run came to in front of a server. */
export interface WayMeasure {
  /** Trained on per second, the median over the epochs after the first. */
  images_per_second: number;
  /** Metric points that were logged. */
  points: number;
  /** Of them, those that had not arrived when the command ended. */
  waiting: number;
  /** Of them, those that were not there after a `sync` to the server, healthy by then. */
  lost: number;
}

/** Trains an experiment in front of a server that behaves so, and sends what is left once it answers again. */
export async function measureWay(
  experiment: Experiment,
  way: Way,
  { cwd, settings, signal }: { cwd: string; settings: Settings; signal: AbortSignal },
): Promise<WayMeasure> {
  const server = await openBenchServer();
  const runsDir = await mkdtemp(join(tmpdir(), 'bench-tracking-'));
  try {
    const began = performance.now();
    server.behave(() => way.at(performance.now() - began));
    const own = { ...settings, runsDir, trackingUri: server.uri };
    const context = { file: 'bench', cwd, settings: own, signal, earlier: new Map() };
    const { run_dir: runDir } = await superviseRun(experiment, context, silentTerminal);
    const logged = pointsOf(runDir);
    const missing = () => [...logged].filter((point) => !server.points.has(point)).length;
    const waiting = missing();
    server.behave(() => ({ manner: 'answer' }));
    await syncRun(runDir, { uri: server.uri }, silentTerminal);
    return { images_per_second: speedOf(runDir), points: logged.size, waiting, lost: missing() };
  } finally {
    await server.close();
    await rm(runsDir, { recursive: true, force: true });
  }
}

function pointsOf(runDir: string): Set<string> {
  const entries = readJournal(join(runDir, JOURNAL_FILE));
  return new Set(
    entries.flatMap((entry) =>
      entry.type !== 'metrics'
        ? []
        : Object.entries(entry.values).map(([key, value]) => `${key} ${entry.step} ${entry.time} ${value}`),
    ),
  );
}

function speedOf(runDir: string): number {
  const speeds = readJournal(join(runDir, JOURNAL_FILE)).flatMap((entry) =>
    entry.type === 'metrics' && 'system/images_per_second' in entry.values
      ? [Number(entry.values['system/images_per_second'])]
      : [],
  );
  // The first epoch warms TensorFlow up.
  const later = speeds.slice(1).sort((a, b) => a - b);
  return later[Math.floor(later.length / 2)]!;
}
