import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Terminal } from '../../../core/terminal.ts';
import { ensurePeerPython, type PythonPeer } from './environments.ts';
import type { SharedStart, Workload } from './shared-start.ts';

/** The peers that `peers=` may name; the rows of one stand or fall together. */
export const PEERS = ['keras', 'pytorch', 'stock'] as const;
export type PeerName = (typeof PEERS)[number];

export type Task = 'train' | 'predict';

/** A program and its words. */
type Command = [program: string, words: string[]];

interface RowName {
  id: 'graph' | 'recompute' | 'keras' | 'pytorch' | 'pytorch-channels-last' | 'stock';
  title: string;
  /** Left out for ours. */
  peer?: PeerName;
}

const ROWS: readonly RowName[] = [
  { id: 'graph', title: 'this harness' },
  { id: 'recompute', title: 'this harness, recomputed' },
  { id: 'keras', title: 'Keras', peer: 'keras' },
  { id: 'pytorch', title: 'PyTorch', peer: 'pytorch' },
  { id: 'pytorch-channels-last', title: 'PyTorch, channels last', peer: 'pytorch' },
  { id: 'stock', title: 'stock tfjs-node', peer: 'stock' },
];

/** A row of the table before it is measured. */
export interface Contender extends RowName {
  tasks: readonly Task[];
  /** Throws UserError where what it runs on cannot be made. */
  commandFor(task: Task): Promise<Command>;
}

export interface Setting {
  workload: Workload;
  start: SharedStart;
  /** Timed ones of each process. */
  steps: number;
  cacheDir: string;
  signal: AbortSignal;
}

/** The project's folder: five up from this file. */
const PROJECT = resolve(fileURLToPath(import.meta.url), '../../../../..');

/** Ours, then the peers that were asked for. */
export function listContenders(peers: readonly PeerName[], setting: Setting, terminal: Terminal): Contender[] {
  const inPython =
    (peer: PythonPeer, script: string, more: object) =>
    async (task: Task): Promise<Command> => {
      const { workload, start, steps, cacheDir, signal } = setting;
      const python = await ensurePeerPython(peer, cacheDir, terminal, signal);
      const asked = { task, encoder: workload.model.encoder, tensors: start.tensors, steps, ...more };
      return [python, [pathOf(script), JSON.stringify(asked)]];
    };
  const torch = (channels_last: boolean) => inPython('pytorch', 'torch_step.py', { channels_last });
  const commands: Record<Contender['id'], Contender['commandFor']> = {
    graph: ours(setting, []),
    recompute: ours(setting, ['model.recompute=true']),
    keras: inPython('keras', 'keras_step.py', {}),
    pytorch: torch(false),
    'pytorch-channels-last': torch(true),
    stock: stock(setting),
  };
  return ROWS.filter(({ peer }) => peer === undefined || peers.includes(peer)).map((row) => ({
    ...row,
    // What is recomputed for the gradient makes no difference to a prediction.
    tasks: row.id === 'recompute' ? ['train'] : ['train', 'predict'],
    commandFor: commands[row.id],
  }));
}

/** Runs one process to its end and returns the JSON object of its last line. Throws Error with why there is none. */
export async function measure(program: string, words: readonly string[], signal: AbortSignal): Promise<unknown> {
  const options = { cwd: PROJECT, reject: false, cancelSignal: signal } as const;
  const result = await execa(program, words, options);
  signal.throwIfAborted();
  if (result.signal === 'SIGKILL') throw new Error('it was killed, as happens where memory runs out');
  const lines = (text: string) => text.trim().split('\n');
  if (result.failed) throw new Error(`it failed: ${lines(result.stderr || (result.shortMessage ?? '')).at(-1)}`);
  return JSON.parse(lines(result.stdout).at(-1)!);
}

function ours({ workload, start, steps }: Setting, more: readonly string[]) {
  const { model, resolution, batchSize } = workload;
  return async (task: Task): Promise<Command> => [
    process.execPath,
    [
      ...['--import', 'tsx', 'src/cli.ts', 'bench', task === 'train' ? 'train-step' : 'predict'],
      ...[`model.encoder=${model.encoder}`, `model.decoder=${model.decoder}`, ...more],
      ...[`resolution=${resolution}`, `batch_size=${batchSize}`, `weights=${start.tensors}`, `steps=${steps}`],
      'json=true',
    ],
  ];
}

function stock({ start, steps, cacheDir }: Setting) {
  return async (task: Task): Promise<Command> => [
    process.execPath,
    ['--import', 'tsx', pathOf('stock-step.ts'), JSON.stringify({ ...start, task, steps, cacheDir })],
  ];
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(`./${file}`, import.meta.url));
}
