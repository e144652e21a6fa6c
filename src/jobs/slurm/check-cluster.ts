import type { SlurmJobs } from '../../config/jobs.ts';
import { expected, messageOf, UserError } from '../../core/errors.ts';
import { askSlurm } from './ask-slurm.ts';
import { ARRAY_TASK, resourceOptions } from './sbatch.ts';

/** What nodes of a partition have. */
interface NodeKind {
  partition: string;
  /** Where jobs go that name no partition. */
  isDefault: boolean;
  gpus: number;
  cpus: number;
  /** GiB. */
  memory: number;
}

/** Options of the user's own that change what is asked of a node. */
const OTHER_NODES = /^--(partition|gres|gpus|mem|cpus-per|ntasks|nodes|exclusive)/;

/** Throws UserError where Slurm is absent or does not answer, and where no node has what a job is to be given or sbatch refuses it. */
export async function checkCluster(config: SlurmJobs): Promise<void> {
  const elsewhere = config.options.find((option) => option.startsWith('--clusters'));
  if (elsewhere !== undefined) {
    const next = 'Begin the sweep on a login node of that cluster.';
    throw new UserError(expected('options of one cluster', 'jobs.options', elsewhere, next));
  }
  try {
    const kinds = await readNodeKinds();
    if (!config.options.some((option) => OTHER_NODES.test(option))) checkNodes(kinds, config);
    await tryOut(config);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const next = 'Look whether `sinfo` answers on this machine.';
    throw new UserError(`${messageOf(error)}\n${next}`, { cause: error });
  }
}

async function readNodeKinds(): Promise<NodeKind[]> {
  const words = ['--all', '--exact', '--noheader', '--format=%R|%P|%G|%c|%m'];
  const printed = await askSlurm('sinfo', words, 'list the partitions');
  return printed.split('\n').flatMap((line) => {
    const [partition, starred, gres, cpus, memory] = line.trim().split('|');
    if (memory === undefined) return [];
    const gpus = [...gres!.matchAll(/(?:^|,)gpu(?::[^:,(]+)?:(\d+)/g)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
    const isDefault = starred!.endsWith('*');
    return [
      {
        partition: partition!,
        isDefault,
        gpus,
        cpus: Number.parseInt(cpus!, 10),
        memory: Number.parseInt(memory, 10) / 1024,
      },
    ];
  });
}

function checkNodes(kinds: readonly NodeKind[], { partition, gpus, cpus, memory = 0 }: SlurmJobs): void {
  const wanted = partition?.split(',');
  const names = [...new Set(kinds.map((kind) => kind.partition))];
  const unknown = wanted?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UserError(expected(`one of this cluster’s partitions (${names.join(', ')})`, 'jobs.partition', unknown));
  }
  const open = kinds.filter((kind) => wanted?.includes(kind.partition) ?? kind.isDefault);
  // Without a default partition, sbatch says so itself.
  if (open.length === 0) return;
  if (open.some((kind) => kind.gpus >= gpus && kind.cpus >= cpus && kind.memory >= memory)) return;
  const asked = describe({ gpus, cpus, memory });
  const had = [...new Set(open.map((kind) => `${kind.partition}: ${describe(kind)}`))].join('; ');
  throw new UserError(
    `Expected a node with ${asked} for each job but there is none in its partition (${had}). ` +
      'Lower jobs.gpus, jobs.cpus or jobs.memory, or name another partition as jobs.partition.',
  );
}

function describe({ gpus, cpus, memory }: Pick<NodeKind, 'gpus' | 'cpus' | 'memory'>): string {
  return `${gpus} GPUs, ${cpus} cores${memory > 0 ? `, ${memory.toFixed(1)} GiB` : ''}`;
}

/** Asks sbatch for a job like the sweep's, which it does not take: it knows accounts, time limits and the user's own options. */
async function tryOut(config: SlurmJobs): Promise<void> {
  try {
    await askSlurm('sbatch', [...resourceOptions(config), '--test-only', ARRAY_TASK], 'find a place for a job');
  } catch (error) {
    // It says so too while the nodes are drained or down, and a job that is handed over then waits for them.
    if (!/node configuration is not available/.test(messageOf(error))) throw error;
  }
}
