import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { openSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { messageOf } from '../../src/core/errors.ts';
import { freePort } from '../free-port.ts';

/** A Slurm of one node with a fake GPU, and two partitions of it: jobs of `high` put those of `low` back into the queue. */
export interface SlurmCluster {
  /** What its commands need beside this process's environment. */
  environment: { SLURM_CONF: string };
  /** Ends its jobs, its daemons, and removes its folder. */
  stop(): Promise<void>;
}

const PACKAGES = ['slurmctld', 'slurmd', 'slurm-client', 'munge'];
const PROGRAMS = ['slurmctld', 'slurmd', 'munged', 'sbatch'];

/**
 * Starts a Slurm of its own on free ports, in a temporary folder; installs Debian's packages where they are absent. The machine's
 * own Slurm, where there is one, is not touched. A sentence that says why, where that cannot be.
 */
export async function startSlurm(): Promise<SlurmCluster | string> {
  if (process.getuid?.() !== 0) return 'a Slurm of its own is started by root alone';
  try {
    await installSlurm();
  } catch (error) {
    return `Slurm cannot be installed: ${messageOf(error)}`;
  }
  const folder = await mkdtemp(join(tmpdir(), 'slurm-'));
  const daemons: ChildProcess[] = [];
  const environment = { SLURM_CONF: join(folder, 'slurm.conf') };
  const run = (program: string, words: string[]) => execa(program, words, { env: environment, timeout: 30_000 });
  const stop = async () => {
    await run('scancel', ['--me']).catch(() => {});
    for (let i = 0; i < 100 && (await run('squeue', ['-h']).catch(() => ({ stdout: '' }))).stdout !== ''; i++)
      await sleep(100);
    for (const daemon of daemons.reverse()) await end(daemon);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await configure(folder);
    const start = (program: string, words: string[]) => daemons.push(startDaemon(folder, program, words, environment));
    // munged refuses folders that others may write to, as the one for temporary files is.
    const own = ['socket', 'pid-file', 'log-file', 'seed-file'].map(
      (name) => `--${name}=${join(folder, 'munge', name)}`,
    );
    start('munged', ['--foreground', '--force', `--key-file=${join(folder, 'munge', 'key')}`, ...own]);
    await untilWell(() => execa('munge', [`--socket=${join(folder, 'munge', 'socket')}`, '--no-input']));
    start('slurmctld', ['-D']);
    await untilWell(() => run('scontrol', ['ping']));
    start('slurmd', ['-D', '-N', 'node1']);
    await untilWell(async () => {
      const { stdout } = await run('sinfo', ['-h', '--format=%T']);
      if (!/^idle$/m.test(stdout)) throw new Error(`the node is ${stdout}`);
    });
    return { environment, stop };
  } catch (error) {
    const said = await Promise.all(['slurmctld', 'slurmd', 'munged'].map((name) => lastLines(join(folder, name))));
    await stop();
    return `Slurm cannot be started: ${messageOf(error)}\n${said.join('\n')}`;
  }
}

async function installSlurm(): Promise<void> {
  const found = await Promise.all(PROGRAMS.map((name) => execa('which', [name], { reject: false })));
  if (found.every(({ failed }) => !failed)) return;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await execa('apt-get', ['update'], { env });
  await execa('apt-get', ['install', '--yes', '--no-install-recommends', ...PACKAGES], { env });
}

/** Without cgroups, systemd and accounting; the node says that it has more cores than there are. */
async function configure(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const name of ['munge', 'state', 'spool']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'munge', 'key'), randomBytes(128), { mode: 0o400 });
  const [controller, node] = [await freePort(), await freePort()];
  await writeFile(join(folder, 'gres.conf'), 'NodeName=node1 Name=gpu File=/dev/zero\n');
  await writeFile(
    join(folder, 'slurm.conf'),
    `ClusterName=test
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${join(folder, 'munge', 'socket')},cred_expire=5
StateSaveLocation=${join(folder, 'state')}
SlurmdSpoolDir=${join(folder, 'spool')}
SlurmctldPidFile=${join(folder, 'slurmctld.pid')}
SlurmdPidFile=${join(folder, 'slurmd.pid')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=60
MaxArraySize=4
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName=node1 NodeHostname=${hostname()} NodeAddr=127.0.0.1 CPUs=4 RealMemory=16000 Gres=gpu:1
PartitionName=low Nodes=node1 Default=YES PriorityTier=1
PartitionName=high Nodes=node1 PriorityTier=2 PreemptMode=OFF
`,
  );
}

/** What it prints goes to a file of its name. */
function startDaemon(folder: string, program: string, words: string[], environment: NodeJS.ProcessEnv): ChildProcess {
  const log = openSync(join(folder, program), 'w');
  const env = { ...process.env, ...environment };
  return spawn(program, words, { env, stdio: ['ignore', log, log] }).on('error', () => {});
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null || daemon.pid === undefined) return;
  const gone = new Promise((resolve) => daemon.once('close', resolve));
  daemon.kill('SIGTERM');
  const late = setTimeout(() => daemon.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(late);
}

/** Asks every 200 ms for 20 s; throws what the last answer was. */
async function untilWell(ask: () => PromiseLike<unknown>): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      return void (await ask());
    } catch (error) {
      if (left === 0) throw error;
    }
    await sleep(200);
  }
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-5).join('\n');
}
