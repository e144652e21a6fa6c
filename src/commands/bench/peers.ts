import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { readSettings } from '../../config/settings.ts';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import { expected, UserError } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import { loadEngine } from '../../engine/load.ts';
import { ENCODER_STRIDE, modelConfig } from '../../models/config.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { readWhole } from '../values.ts';
import type { Row } from './peers/figures.ts';
import { describeMachine } from './peers/machine.ts';
import { listContenders, measure, PEERS, type PeerName } from './peers/processes.ts';
import { goalsOf, ratiosOf } from './peers/ratios.ts';
import { reportOf } from './peers/report.ts';
import { runRounds } from './peers/rounds.ts';
import { type Workload, writeSharedStart } from './peers/shared-start.ts';

const KEYS = ['model.encoder', 'resolution', 'batch_size', 'steps', 'rounds', 'peers'];

/** Of the shared weights and the batch. */
const SEED = 42;

/** What was asked for. */
interface Plan {
  workload: Workload;
  steps: number;
  rounds: number;
  peers: PeerName[];
}

/**
 * `npm run bench peers [resolution=256] [batch_size=4] …`: the same network, batch and loss by this harness, Keras, PyTorch
 * and stock tfjs-node, on the processor, each in its own process and in turn. Writes `reports/bench-peers-<resolution>.md`.
 */
export async function benchPeers({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const plan = readPlan(values);
  const rows = await measureAll(plan, cwd, terminal, signal);
  const words = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  const head = {
    command: ['npm run bench peers', ...words].join(' '),
    date: new Date().toISOString().slice(0, 10),
    machine: await describeMachine(),
    ...plan,
  };
  const path = resolve(cwd, `reports/bench-peers-${plan.workload.resolution}.md`);
  const report = reportOf(head, rows);
  await writeFileAtomic(path, report);
  terminal.say(report);
  terminal.say(`${relative(cwd, path)} has the same.`);
  return { json: { rows, ratios: ratiosOf(rows), goals: goalsOf(rows), report: path } };
}

/** Reads the words. Throws UserError for a key that the bench does not take and for a value that it cannot use. */
export function readPlan(values: CommandArgs['values']): Plan {
  const other = Object.keys(values).find((key) => !KEYS.includes(key));
  if (other !== undefined) throw new UserError(expected(KEYS.join(', '), 'the keys of bench peers', other));
  const whole = (key: string, fallback: number) => readWhole(key, values[key] ?? String(fallback));
  const resolution = whole('resolution', 256);
  if (resolution % ENCODER_STRIDE !== 0) {
    throw new UserError(expected(`a multiple of ${ENCODER_STRIDE}`, 'resolution', resolution));
  }
  const encoder = values['model.encoder'] ?? 'efficientnet-b4';
  const model = modelConfig.safeParse({ encoder, decoder: 'unet' });
  if (!model.success) {
    throw new UserError(expected(modelConfig.shape.encoder.options.join(', '), 'model.encoder', encoder));
  }
  const workload = { model: model.data, resolution, batchSize: whole('batch_size', 4), seed: SEED };
  return { workload, steps: whole('steps', 10), rounds: whole('rounds', 3), peers: readPeers(values.peers) };
}

/** In a folder of its own that goes again; ours is made first, and the peers' environments when their turn comes. */
async function measureAll(plan: Plan, cwd: string, terminal: Terminal, signal: AbortSignal): Promise<Row[]> {
  const { cacheDir } = await readSettings(cwd);
  const { workload, steps, rounds, peers } = plan;
  // Children inherit what this sets: they see no GPU either.
  await loadEngine({ device: 'cpu', cacheDir, deterministic: false, signal }, terminal);
  const folder = await mkdtemp(join(tmpdir(), 'bench-peers-'));
  try {
    const start = await writeSharedStart(workload, folder);
    const contenders = listContenders(peers, { workload, start, steps, cacheDir, signal }, terminal);
    return await runRounds(contenders, rounds, measure, terminal, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readPeers(text: string | undefined): PeerName[] {
  if (text === undefined) return [...PEERS];
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !(PEERS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new UserError(expected(`some of ${PEERS.join(',')}`, 'peers', unknown));
  return names as PeerName[];
}
