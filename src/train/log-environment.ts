import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { writeFileAtomic } from '../core/atomic-file.ts';
import type { LoadedEngine } from '../engine/load.ts';
import type { Journal } from '../tracking/journal.ts';

const ENVIRONMENT_FILE = 'environment.json';
const DIFF_FILE = 'git.diff';
/** A longer diff is no change to a program any more. */
const LONGEST_DIFF = 1_000_000;

/**
 * Logs what a run computes with (`environment.json`: versions, processor, memory, device, TensorFlow's variables), and, where the
 * code is not as its commit has it, the difference (`git.diff`, tracked files alone).
 */
export async function logEnvironment(
  runDir: string,
  journal: Journal,
  { device, flavour, tensorflow }: LoadedEngine,
): Promise<void> {
  const environment = {
    node: process.versions.node,
    tensorflow,
    flavour,
    device,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_bytes: totalmem(),
    system: `${process.platform} ${process.arch} ${release()}`,
    gpus: await listGpuNames(),
    variables: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => /^(TF_|CUDA_|OMP_|PNEUMOTHORAX_LOADER)/.test(name)),
    ),
  };
  await log(ENVIRONMENT_FILE, `${JSON.stringify(environment, null, 2)}\n`);
  const { failed, stdout } = await execa('git', ['diff', 'HEAD'], { cwd: import.meta.dirname, reject: false });
  if (failed || stdout === '') return;
  const cut = stdout.length > LONGEST_DIFF ? `\n(cut: ${stdout.length} characters)` : '';
  await log(DIFF_FILE, `${stdout.slice(0, LONGEST_DIFF)}${cut}\n`);

  /** A run that is taken up elsewhere keeps what it began with: what is otherwise now is a file of its own. */
  async function log(name: string, text: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const file = attempt === 1 ? name : name.replace('.', `-${attempt}.`);
      const there = await readFile(join(runDir, file), 'utf8').catch(() => undefined);
      if (there !== undefined && there !== text) continue;
      if (there === undefined) await writeFileAtomic(join(runDir, file), text);
      journal.artifact(file, file);
      return;
    }
  }
}

async function listGpuNames(): Promise<string[]> {
  const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'];
  const { failed, stdout } = await execa('nvidia-smi', query, { reject: false });
  return failed || stdout === '' ? [] : stdout.split('\n');
}
