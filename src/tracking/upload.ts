import { join } from 'node:path';
import type { MlflowClient } from 'mlflow-js-client';
import { MlflowError } from 'mlflow-js-client';
import { messageOf } from '../core/errors.ts';
import { attachRun } from './attach.ts';
import { checkVersion } from './explain-failure.ts';
import { JOURNAL_FILE } from './journal.ts';
import type { JournalEntry } from './journal-entry.ts';
import { type JournalLine, readLines } from './journal-file.ts';
import { readPosition, type UploadPosition, writePosition } from './position.ts';
import { type Destination, sendEntry, toMetrics } from './send-entry.ts';

/** About a thousand lines of metrics: a handful of requests, and little to send again after a failure. */
const CHUNK_BYTES = 128 * 1024;

/** The way of one journal into MLflow. */
export interface Upload {
  /** Sends the next lines, attaching to MLflow first; returns how many, 0 when there are none. */
  sendNext(): Promise<number>;
}

/**
 * An upload of the run in `runDir` from where the last one stopped. Lines that MLflow will never take (a wrong key, a
 * file that is gone) are warned about and passed over; whatever may succeed later is thrown, and the lines stay.
 */
export function openUpload(runDir: string, client: MlflowClient, warn: (line: string) => void): Upload {
  let at: { to: Destination; position: UploadPosition } | undefined;
  const attach = async () => {
    await checkVersion(client);
    const attached = await attachRun(client, runDir);
    if (attached === undefined) return undefined;
    const { run, position } = attached;
    const params = new Map(run.data.params.map(({ key, value }) => [key, value]));
    return { to: { client, runId: position.run_id, runDir, params, warn }, position };
  };
  return {
    sendNext: async () => {
      at ??= await attach();
      if (at === undefined) return 0;
      const lines = readLines(join(runDir, JOURNAL_FILE), at.position.offset, CHUNK_BYTES);
      if (lines.length === 0) return 0;
      try {
        await sendLines(at.to, lines);
      } catch (error) {
        // The run may be gone from the server, or the server be another one: look again next time.
        at = undefined;
        throw error;
      }
      at.position = { ...at.position, offset: lines.at(-1)!.end };
      await writePosition(runDir, at.position);
      return lines.length;
    },
  };
}

/** How many whole lines of a run's journal are not in MLflow yet. */
export function countPending(runDir: string): number {
  const offset = readPosition(runDir)?.offset ?? 0;
  return readLines(join(runDir, JOURNAL_FILE), offset, Number.POSITIVE_INFINITY).length;
}

async function sendLines(to: Destination, lines: readonly JournalLine[]): Promise<void> {
  for (const group of groupMetrics(lines.map((line) => line.entry))) {
    if (group[0]?.type === 'metrics' && (await sendTogether(to, group))) continue;
    for (const entry of group.flatMap(splitMetrics)) {
      await sendEntry(to, entry).catch((error: unknown) => {
        if (!isFinal(error) && !isRegistrysNo(entry, error)) throw error;
        to.warn(`MLflow does not take ${describe(entry)}: ${messageOf(error)}`);
      });
    }
  }
}

/** Neighbouring lines of metrics in one batch: fifty small ones take fifteen times as long. False where one is refused. */
async function sendTogether(to: Destination, group: readonly JournalEntry[]): Promise<boolean> {
  const metrics = group.flatMap((entry) => (entry.type === 'metrics' ? toMetrics(entry) : []));
  try {
    await to.client.logBatch(to.runId, { metrics });
    return true;
  } catch (error) {
    if (!isFinal(error)) throw error;
    return false;
  }
}

/** One line for each value, so that a wrong key takes no other value with it. */
function splitMetrics(entry: JournalEntry): JournalEntry[] {
  if (entry.type !== 'metrics') return [entry];
  return Object.entries(entry.values).map(([key, value]) => ({ ...entry, values: { [key]: value } }));
}

function groupMetrics(entries: readonly JournalEntry[]): JournalEntry[][] {
  const groups: JournalEntry[][] = [];
  for (const entry of entries) {
    const last = groups.at(-1);
    if (entry.type === 'metrics' && last?.[0]?.type === 'metrics') last.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

/**
 * Whether sending it again can never help: MLflow said no to what it was given, or it cannot be sent at all. Not so
 * where the server did not answer or is busy, wants other credentials, or does not know the run.
 */
function isFinal(error: unknown): boolean {
  if (!(error instanceof MlflowError)) return true;
  if (error.status === 413) return true;
  const others = error.status === 401 || error.status === 403 || error.code === 'RESOURCE_DOES_NOT_EXIST';
  return error.code !== undefined && error.status !== undefined && !error.transient && !others;
}

/**
 * A registry that is not there, or does not let this user in, takes no model however often it is asked: the run itself must go on to
 * its end. (Of a registered model that another user made one may not add versions.)
 */
function isRegistrysNo(entry: JournalEntry, error: unknown): boolean {
  if (entry.type !== 'model' || !(error instanceof MlflowError)) return false;
  return error.status !== undefined && !error.transient && error.status !== 401;
}

function describe(entry: JournalEntry): string {
  if (entry.type === 'metrics') return `metric ${Object.keys(entry.values).join(', ')} at step ${entry.step}`;
  return 'file' in entry ? `${entry.type} ${entry.file}` : `a line of ${entry.type}`;
}
