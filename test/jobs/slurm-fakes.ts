import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface FakeJob {
  array: number;
  task: number;
  state: string;
  reason: string;
  name: string;
  comment: string;
}

interface FakeState {
  /** The number of the next array. */
  next: number;
  maxArraySize: number;
  queue: FakeJob[];
  /** What sinfo prints. */
  nodes: string[];
  /** What programs print as they fail. */
  fails: Record<string, string>;
}

/** Programs of Slurm's names that keep a queue in a file, and stand alone on this process's PATH until they are removed. */
export interface FakeSlurm {
  folder: string;
  state(): FakeState;
  change(change: Partial<FakeState>): void;
  /** The words that a program was called with, each time. */
  calls(program: string): string[][];
  /** Variables that change what Slurm's programs print, which any call was given. */
  habits(): string[];
  remove(): Promise<void>;
}

const PLAYER = new URL('./slurm-fake-program.mjs', import.meta.url).href;

export async function fakeSlurm(): Promise<FakeSlurm> {
  const folder = await mkdtemp(join(tmpdir(), 'slurm fakes-'));
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const program of ['sbatch', 'squeue', 'scancel', 'sinfo', 'scontrol']) {
    const text = `#!${process.execPath}\nimport(${JSON.stringify(PLAYER)});\n`;
    writeFileSync(join(bin, program), text, { mode: 0o755 });
  }
  const path = process.env.PATH;
  process.env.PATH = bin;
  const file = join(bin, 'state.json');
  const state = () => JSON.parse(readFileSync(file, 'utf8')) as FakeState;
  const nodes = ['cpu|cpu*|(null)|16|64000', 'gpu|gpu|gpu:a100:4(S:0-1)|64|512000'];
  writeFileSync(file, JSON.stringify({ next: 70, maxArraySize: 1001, queue: [], nodes, fails: {} }));
  writeFileSync(join(bin, 'calls.jsonl'), '');
  const lines = () => {
    const read = readFileSync(join(bin, 'calls.jsonl'), 'utf8').trim().split('\n');
    return read.map((line) => JSON.parse(line) as { program: string; words: string[]; habits: string[] });
  };
  return {
    folder,
    state,
    change: (change) => writeFileSync(file, JSON.stringify({ ...state(), ...change })),
    calls: (program) => lines().flatMap((call) => (call.program === program ? [call.words] : [])),
    habits: () => lines().flatMap(({ habits }) => habits),
    async remove() {
      process.env.PATH = path;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
