import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseExperiment } from '../../config/experiment.ts';
import { readSettings } from '../../config/settings.ts';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { preparePhantom } from '../prepare-phantom.ts';
import { readWhole } from '../values.ts';
import { describeMachine } from './peers/machine.ts';
import { measureWay } from './tracking/measure.ts';
import { isReached, spreadOf, summariseWays, trackingReport, type WayPair } from './tracking/report.ts';
import { WAYS, type Way } from './tracking/ways.ts';

const EXPERIMENT = new URL('./tracking/experiment.yml', import.meta.url).pathname;

/**
 * `npm run bench tracking [rounds=3]`: what training loses in speed, and of its points, in front of a tracking server that is
 * killed, hangs, is slow, fails, comes back or is never there. Writes `reports/bench-tracking.md`.
 */
export async function benchTracking({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const rounds = readWhole('rounds', values.rounds ?? '3', 1, 99);
  const settings = await readSettings(cwd);
  const folder = await mkdtemp(join(tmpdir(), 'bench-tracking-data-'));
  const measured: WayPair[][] = [];
  const [healthy, ...others] = WAYS;
  const bar = terminal.progress('servers', rounds * others.length);
  try {
    const experiment = await parseExperiment(EXPERIMENT, {}, folder);
    await preparePhantom(experiment, { cwd: folder, signal }, terminal);
    for (let round = 0; round < rounds; round++) {
      const pairs: WayPair[] = [];
      for (const way of others) {
        const measure = (one: Way) => measureWay(experiment, one, { cwd: folder, settings, signal });
        // What the machine does as time goes on falls on either of the two.
        const before = round % 2 === 0 ? await measure(healthy!) : undefined;
        const own = await measure(way);
        pairs.push({ own, healthy: before ?? (await measure(healthy!)) });
        bar.advance();
      }
      measured.push(pairs);
    }
  } finally {
    bar.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const results = summariseWays(measured);
  const command = ['npm run bench tracking', ...Object.entries(values).map(([key, value]) => `${key}=${value}`)].join(
    ' ',
  );
  const spread = spreadOf(measured);
  const date = new Date().toISOString().slice(0, 10);
  const head = { command, date, machine: await describeMachine(), rounds, spread };
  const report = trackingReport(head, results);
  const path = resolve(cwd, 'reports/bench-tracking.md');
  await writeFileAtomic(path, report);
  terminal.say(report);
  terminal.say(`${relative(cwd, path)} has the same.`);
  return { json: { servers: results, spread, reached: isReached(results), report: path } };
}
