import { readSettings } from '../config/settings.ts';
import type { Terminal } from '../core/terminal.ts';
import { explainFailure } from '../tracking/explain-failure.ts';
import { findRun, listRuns, type RunSummary } from '../tracking/runs.ts';
import { checkServer, resolveTracking, type Tracking, trackingOf } from '../tracking/tracking.ts';
import { readUpload, syncRun } from '../tracking/uploader.ts';
import { closeAbandoned } from '../train/close-abandoned.ts';
import type { Command, CommandResult } from './command.ts';

/** `npm run sync [run…]`: what is still only in the journals goes into MLflow. */
export const syncCommand: Command = {
  name: 'sync',
  summary: 'upload what is still only in the journals',
  usage: '[run…]',
  keys: {},
  overrides: false,
  run: async ({ words, cwd, signal }, terminal) => {
    const settings = await readSettings(cwd);
    const { runsDir } = settings;
    const runs =
      words.length === 0
        ? await listRuns(runsDir)
        : await Promise.all(words.map((reference) => findRun(runsDir, reference)));
    await closeAbandoned(runs, terminal);
    // Without anything to send, no server is started.
    const waiting = words.length === 0 ? selectPending(runs, trackingOf(settings)?.uri) : runs;
    if (waiting.length === 0) return summarise(runs, 0, 0, terminal);
    const source = resolveTracking(settings, terminal);
    signal.addEventListener('abort', source.cancel, { once: true });
    const tracking = await source.ready;
    await checkServer(tracking);
    return await syncRuns(runs, waiting, tracking, terminal, signal);
  },
};

/** The runs with something to send; with a server named, also those that were sent to another one. */
function selectPending(runs: readonly RunSummary[], named: string | undefined): readonly RunSummary[] {
  return runs.filter((run) => {
    const { pending, tracking_uri } = readUpload(run.dir);
    return pending > 0 || (named !== undefined && tracking_uri !== named);
  });
}

async function syncRuns(
  runs: readonly RunSummary[],
  waiting: readonly RunSummary[],
  tracking: Tracking,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<CommandResult> {
  let uploaded = 0;
  let pending = 0;
  for (const run of waiting) {
    signal.throwIfAborted();
    const result = await syncRun(run.dir, tracking, terminal).catch((error: unknown) => {
      // One run that MLflow does not take must not keep the others back.
      terminal.warn(`${run.run_id} is not in MLflow: ${explainFailure(error)}`);
      return { uploaded: 0, pending: readUpload(run.dir).pending };
    });
    terminal.say(`${run.run_id}: ${result.uploaded} lines uploaded, ${result.pending} pending, at ${tracking.uri}`);
    uploaded += result.uploaded;
    pending += result.pending;
  }
  return summarise(runs, uploaded, pending, terminal);
}

function summarise(runs: readonly RunSummary[], uploaded: number, pending: number, terminal: Terminal): CommandResult {
  terminal.say(`synced       ${runs.length} runs: ${uploaded} journal lines uploaded, ${pending} pending`);
  return { json: { runs: runs.length, uploaded, pending }, exitCode: pending > 0 ? 3 : 0 };
}
