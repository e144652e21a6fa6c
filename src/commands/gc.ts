import { join, relative } from 'node:path';
import Table from 'cli-table3';
import { didYouMean } from '../config/nearest.ts';
import { readSettings } from '../config/settings.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { findRun, listRuns } from '../tracking/runs.ts';
import { type Collected, type CollectOptions, collectRun } from '../train/garbage/collect.ts';
import { KEEPS, type Keep } from '../train/garbage/plan.ts';
import { type References, readReferences } from '../train/garbage/references.ts';
import type { Command, CommandResult } from './command.ts';
import { readSwitch } from './values.ts';

/** `npm run gc [run…] dry_run=true`: what nothing needs any more of runs goes. */
export const gcCommand: Command = {
  name: 'gc',
  summary: 'remove what nothing needs any more of runs that have ended',
  usage: '[run…] [key=value …]',
  keys: {
    dry_run: 'true: say what would go, with sizes and reasons, and remove nothing',
    keep: 'named (default): all checkpoints that have a name; weights: of those the weights alone; chosen: the final one alone',
    unfinished: 'true: also of runs that were killed or failed, from which one could still go on',
  },
  overrides: false,
  run: async ({ words, values, cwd, signal }, terminal) => {
    const options = {
      keep: readKeep(values.keep),
      unfinished: readSwitch('unfinished', values.unfinished),
      dryRun: readSwitch('dry_run', values.dry_run),
    };
    const { runsDir } = await readSettings(cwd);
    const all = await listRuns(runsDir);
    const runs = words.length === 0 ? all : await findAll(words, runsDir);
    // The project's own folders count wherever the user stands.
    const folders = [cwd, join(import.meta.dirname, '../..')];
    const { references, consulted } = await readReferences(folders, all, cwd);
    const collected: Collected[] = [];
    for (const run of runs) {
      signal.throwIfAborted();
      collected.push(await collectRun(run, references, options));
    }
    speak(collected, { consulted, options, runsDir: relative(cwd, runsDir) || runsDir }, terminal);
    return { json: toJson(collected, consulted, options), exitCode: collected.some(isSkipped) ? 3 : 0 };
  },
};

async function findAll(words: readonly string[], runsDir: string) {
  const found = new Map<string, Awaited<ReturnType<typeof findRun>>>();
  for (const word of words) {
    const run = await findRun(runsDir, word);
    found.set(run.run_id, run);
  }
  return [...found.values()];
}

function readKeep(typed = 'named'): Keep {
  const keep = KEEPS.find((each) => each === typed);
  if (keep !== undefined) return keep;
  throw new UserError(expected(`one of ${KEEPS.join(', ')}`, 'keep', typed, didYouMean(typed, KEEPS)));
}

function isSkipped(collected: Collected): boolean {
  return collected.skipped !== undefined;
}

/** Every piece that goes, of all runs. */
function piecesOf(collected: readonly Collected[]) {
  return collected.flatMap((each) =>
    each.skipped === undefined ? each.garbage.map((piece) => ({ run_id: each.run.run_id, ...piece })) : [],
  );
}

function speak(
  collected: readonly Collected[],
  { consulted, options, runsDir }: { consulted: References['consulted']; options: CollectOptions; runsDir: string },
  terminal: Terminal,
): void {
  const pieces = piecesOf(collected);
  const table = new Table({ style: { head: [], border: [] }, colAligns: ['left', 'left', 'right', 'left'] });
  table.push(['run', 'what', 'size', 'why']);
  for (const { run_id, path, bytes, reason } of pieces) table.push([run_id, path, size(bytes), reason]);
  if (pieces.length > 0) terminal.say(table.toString());
  for (const each of collected) {
    if (each.skipped !== undefined) terminal.warn(`${each.run.run_id} is left alone: ${each.skipped}`);
    else
      for (const { checkpoint, by } of each.protected)
        terminal.say(`kept         ${each.run.run_id} ${checkpoint}: ${by.join(', ')}`);
  }
  const { experiments, submissions, manifests } = consulted;
  terminal.say(`looked at    ${collected.length} runs under ${runsDir}`);
  terminal.say(`references   ${experiments} experiments, ${submissions} submissions and ${manifests} manifests`);
  const bytes = pieces.reduce((sum, each) => sum + each.bytes, 0);
  terminal.say(`${options.dryRun ? 'would free ' : 'freed      '}  ${size(bytes)}`);
  const waiting = collected.filter(({ run }) => run.status !== 'FINISHED').length;
  if (waiting > 0 && !options.unfinished)
    terminal.say(`${waiting} runs have not finished and can be gone on with; unfinished=true counts them as ended`);
  if (options.dryRun && pieces.length > 0) terminal.say('Next: the same command without dry_run=true.');
}

/** Bytes as `1.2 GiB`, `81.3 MiB` or `0.4 KiB`. */
function size(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return bytes >= 2 ** 20 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 10).toFixed(1)} KiB`;
}

function toJson(
  collected: readonly Collected[],
  consulted: References['consulted'],
  { dryRun }: CollectOptions,
): CommandResult['json'] {
  const removed = piecesOf(collected).map(({ action: _, ...piece }) => piece);
  const kept = collected.flatMap((each) =>
    each.skipped === undefined ? each.protected.map((it) => ({ run_id: each.run.run_id, ...it })) : [],
  );
  const skipped = collected.flatMap(({ run, skipped }) =>
    skipped === undefined ? [] : [{ run_id: run.run_id, reason: skipped }],
  );
  const bytes = removed.reduce((sum, piece) => sum + piece.bytes, 0);
  return { dry_run: dryRun, runs: collected.length, bytes, removed, kept, skipped, consulted };
}
