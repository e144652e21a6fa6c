import { mkdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMlflowClient } from 'mlflow-js-client';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { startDetached } from '../core/detached.ts';
import { withLock } from '../core/lock.ts';
import type { Terminal } from '../core/terminal.ts';
import { ensureMlflow } from './mlflow-install.ts';
import { endProcess, isProcess } from './process.ts';

/** Where the local server's environment and its state lie; both absolute. */
export interface ServerFolders {
  cacheDir: string;
  /** The state is in its folder `mlflow`: mlflow.db, artifacts/, server.json, server.log. */
  runsDir: string;
}

/** What `server.json` says of the server. */
export interface ServerState {
  /** 0 where it was stopped. */
  pid: number;
  port: number;
  address: string;
}

/** MLflow's own queue of background jobs: nothing here uses it, and it costs a process. */
const WITHOUT_JOBS = { MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' };

/**
 * How often a new server is asked whether it is there: Python needs seconds to import MLflow, a loaded machine many.
 * Not a time by the clock, since this process may itself stand still meanwhile, in a long training step.
 */
const START_ATTEMPTS = 500;
const ASK_EVERY_MS = 200;

/** A running server may be slow to answer while others work it; it is only replaced when it is mute for long. */
const PATIENT = { timeoutMs: 10_000, retries: 2 };
const HASTY = { timeoutMs: 5000, retries: 0 };

/** Another program may take the free port before the server does. */
const PORT_ATTEMPTS = 3;

/**
 * The address of the project's local MLflow server, which is installed and started where it is not there yet. It goes
 * on after this process and serves the next one. Bound to 127.0.0.1.
 * Throws UserError where it cannot be installed, Error with the log's last lines where it does not start.
 */
export async function ensureServer(
  folders: ServerFolders,
  terminal: Terminal,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  const folder = stateFolder(folders.runsDir);
  const start = async () => {
    const running = await serverStatus(folders.runsDir);
    if (running !== undefined) return running.address;
    const python = await ensureMlflow(folders.cacheDir, terminal, signal);
    const before = readState(folder);
    if (before !== undefined) await endProcess(before.pid, databaseUri(folder));
    const { address } = await startServer(python, folder, before?.port, signal);
    terminal.say(`mlflow: the local server runs at ${address}`);
    return address;
  };
  return await withLock(join(folder, 'lock'), start, undefined, signal);
}

/** The local server where it runs and answers; undefined where not. */
export async function serverStatus(runsDir: string): Promise<ServerState | undefined> {
  const folder = stateFolder(runsDir);
  const state = readState(folder);
  if (state === undefined || !isProcess(state.pid, databaseUri(folder))) return undefined;
  return (await answers(state.address, PATIENT)) ? state : undefined;
}

/** Stops the local server and waits until it is gone; false where none ran. Its data stays. */
export async function stopServer(runsDir: string): Promise<boolean> {
  const folder = stateFolder(runsDir);
  if (readState(folder) === undefined) return false;
  return await withLock(join(folder, 'lock'), async () => {
    const state = readState(folder)!;
    const ran = await endProcess(state.pid, databaseUri(folder));
    // What stays is the port, for the next start.
    await writeState(folder, { ...state, pid: 0 });
    return ran;
  });
}

function stateFolder(runsDir: string): string {
  return join(runsDir, 'mlflow');
}

/** Undefined where there is none, or none that can be read: a new server then takes its place. */
function readState(folder: string): ServerState | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'server.json'), 'utf8')) as ServerState;
  } catch {
    return undefined;
  }
}

async function writeState(folder: string, state: ServerState): Promise<void> {
  await writeFileAtomic(join(folder, 'server.json'), `${JSON.stringify(state, null, 2)}\n`);
}

/** On the command line of our server and of no other process. */
function databaseUri(folder: string): string {
  return `sqlite:///${join(folder, 'mlflow.db')}`;
}

async function answers(address: string, patience: typeof HASTY): Promise<boolean> {
  const client = createMlflowClient({ trackingUri: address, ...patience });
  return await client.health().then(
    () => true,
    () => false,
  );
}

/** Starts a server on the port that it had last time, so that bookmarks hold, or on a free one. */
async function startServer(python: string, folder: string, port: number | undefined, signal: AbortSignal) {
  let failure: unknown;
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const free = await freePort(attempt === 0 ? port : undefined);
    try {
      return await launch(python, folder, free, signal);
    } catch (error) {
      failure = error;
      if (signal.aborted || !/address already in use/i.test(String(error))) break;
    }
  }
  throw failure;
}

async function launch(python: string, folder: string, port: number, signal: AbortSignal): Promise<ServerState> {
  mkdirSync(folder, { recursive: true });
  const server = await startDetached(python, serverArguments(folder, port), {
    cwd: folder,
    env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true', ...WITHOUT_JOBS },
    log: { path: join(folder, 'server.log'), append: false },
  });
  const state = { pid: server.pid, port, address: `http://127.0.0.1:${port}` };
  // Before it answers: whoever comes after this process was killed finds the server, instead of starting a second one.
  await writeState(folder, state);
  for (let attempt = 0; attempt < START_ATTEMPTS && server.ended() === undefined && !signal.aborted; attempt++) {
    if (await answers(state.address, HASTY)) return state;
    await sleep(ASK_EVERY_MS);
  }
  await endProcess(state.pid, databaseUri(folder));
  throw new Error(await startMessage(folder, server.ended() !== undefined, signal));
}

function serverArguments(folder: string, port: number): string[] {
  const store = ['--backend-store-uri', databaseUri(folder)];
  const artifacts = ['--serve-artifacts', '--artifacts-destination', join(folder, 'artifacts')];
  const listen = ['--host', '127.0.0.1', '--port', `${port}`, '--workers', '1'];
  return ['-m', 'mlflow', 'server', ...listen, ...store, ...artifacts];
}

async function startMessage(folder: string, exited: boolean, signal: AbortSignal): Promise<string> {
  if (signal.aborted) return 'The start of the MLflow server was stopped.';
  const path = join(folder, 'server.log');
  const log = await readFile(path, 'utf8').catch(() => '');
  const how = exited ? 'it ended' : 'it did not answer';
  return `Expected the MLflow server to start but ${how}. The end of ${path}:\n${log.trim().split('\n').slice(-8).join('\n')}`;
}

function freePort(wanted: number | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (wanted === undefined ? reject(error) : resolve(freePort(undefined))));
    probe.listen(wanted ?? 0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
