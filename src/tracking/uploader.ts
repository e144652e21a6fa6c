import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MlflowClient } from 'mlflow-js-client';
import { messageOf } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { explainFailure } from './explain-failure.ts';
import { openClient } from './open-client.ts';
import { readPosition } from './position.ts';
import type { Tracking, TrackingSource } from './tracking.ts';
import { countPending, openUpload } from './upload.ts';
import { whileLocked } from './upload-lock.ts';

export interface UploadResult {
  /** MLflow's id of the run; undefined where it never got there. */
  mlflow_run_id: string | undefined;
  tracking_uri: string | undefined;
  /** Whole journal lines that are not in MLflow yet. */
  pending: number;
}

/** An upload in the background of a run. */
export interface Uploader {
  /** Sends the rest, for at most so long, and ends the upload; never throws. The journal has its `end` by then. */
  finish(timeoutMs: number): Promise<UploadResult>;
}

/** New lines wait this long for company. */
const POLL_MS = 2000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** Failures in a row after which `finish` leaves the rest to `npm run sync`. */
const LAST_ATTEMPTS = 3;
/** The same where the server failed before already: each failure may take its whole timeout, and a user waits. */
const ATTEMPTS_AFTER_FAILURE = 1;
const REQUEST_TIMEOUT_MS = 20_000;

/**
 * Follows the journal of the run in `runDir` into MLflow while the run goes on. It never throws into training: a server
 * that is absent, hangs or fails is named once and tried again, less and less often, and everything stays in the
 * journal. It holds no process open by itself.
 */
export function startUploader(run: { runDir: string; tracking: TrackingSource }, terminal: Terminal): Uploader {
  const { runDir, tracking } = run;
  const finishing = new AbortController();
  const ended = new AbortController();
  let client: MlflowClient | undefined;
  let told = false;
  const tell = (error: unknown) => {
    if (!told && !ended.signal.aborted) terminal.warn(`not in MLflow yet, the run goes on: ${explainFailure(error)}`);
    told = true;
  };
  const work = async () => {
    const where = await tracking.ready;
    const opened = openClient(where, { timeoutMs: REQUEST_TIMEOUT_MS, retries: 1 });
    client = opened;
    const following = { finishing: finishing.signal, ended: ended.signal, tell, warn: terminal.warn };
    const done = await whileLocked(runDir, async () => {
      await follow(runDir, opened, following);
      return true;
    });
    if (done === undefined) throw new Error(`${basename(runDir)} is being uploaded by another process.`);
  };
  const background = work().catch(tell);
  return {
    finish: async (timeoutMs) => {
      finishing.abort();
      const end = () => {
        ended.abort();
        tracking.cancel();
        client?.close();
      };
      const deadline = setTimeout(end, timeoutMs);
      await background;
      clearTimeout(deadline);
      end();
      return summarise(runDir, terminal);
    },
  };
}

/**
 * Uploads what is still only in a run's journal, to the end. Any number of times leaves the same in MLflow.
 * Throws MlflowError where the server does not take it; what was sent stays sent. A run that another process is
 * uploading is left to it.
 */
export async function syncRun(
  runDir: string,
  tracking: Tracking,
  terminal: Terminal,
): Promise<UploadResult & { uploaded: number }> {
  let uploaded = 0;
  const client = openClient(tracking, {});
  const done = await whileLocked(runDir, async () => {
    const upload = openUpload(runDir, client, terminal.warn);
    for (let sent = await upload.sendNext(); sent > 0; sent = await upload.sendNext()) uploaded += sent;
    return true;
  });
  if (done === undefined) terminal.warn(`${basename(runDir)} is being uploaded by another process`);
  return { ...readUpload(runDir), uploaded };
}

interface Following {
  finishing: AbortSignal;
  ended: AbortSignal;
  tell(error: unknown): void;
  warn(line: string): void;
}

async function follow(runDir: string, client: MlflowClient, following: Following): Promise<void> {
  const { finishing, ended, tell } = following;
  const upload = openUpload(runDir, client, following.warn);
  let failures = 0;
  let attempts = LAST_ATTEMPTS;
  let lastFailures = 0;
  while (!ended.aborted && lastFailures < attempts) {
    const final = finishing.aborted;
    try {
      const sent = await upload.sendNext();
      failures = 0;
      attempts = LAST_ATTEMPTS;
      if (sent === 0 && final) return;
      if (sent === 0) await pause(POLL_MS, finishing);
    } catch (error) {
      tell(error);
      failures += 1;
      if (final) lastFailures += 1;
      else attempts = ATTEMPTS_AFTER_FAILURE;
      const delay = Math.min(FIRST_DELAY_MS * 2 ** Math.min(failures, 10), LONGEST_DELAY_MS);
      await pause(final ? FIRST_DELAY_MS : delay * (0.5 + Math.random() / 2), final ? ended : finishing);
    }
  }
}

/** Waits, less long where the signal says so; without holding the process open. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => {});
}

function summarise(runDir: string, terminal: Terminal): UploadResult {
  try {
    const result = readUpload(runDir);
    if (result.pending > 0) {
      terminal.warn(
        `${result.pending} journal lines are not in MLflow yet; \`npm run sync ${basename(runDir)}\` sends them`,
      );
    }
    return result;
  } catch (error) {
    terminal.warn(`the upload's state is unknown: ${messageOf(error)}`);
    return { mlflow_run_id: undefined, tracking_uri: undefined, pending: 0 };
  }
}

/** How far a run's journal has got into MLflow, by what lies in its folder. */
export function readUpload(runDir: string): UploadResult {
  const position = readPosition(runDir);
  return {
    mlflow_run_id: position?.run_id,
    tracking_uri: position?.tracking_uri,
    pending: countPending(runDir),
  };
}
