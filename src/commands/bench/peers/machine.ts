import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';

/** What the figures were measured on, one line each for the report. */
export interface Machine {
  processor: string;
  cores: number;
  memory_gb: number;
  system: string;
}

/** This machine, as Node and /etc/os-release describe it. */
export async function describeMachine(): Promise<Machine> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? process.platform;
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 1e9),
    system: `${name}, Linux ${release()}`,
  };
}
