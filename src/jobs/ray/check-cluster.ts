import type { RayJobs } from '../../config/jobs.ts';
import { expected, messageOf, UserError } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import { isStranger, type Ray, refusal } from './ray-http.ts';

/** A node, as Ray's state interface has it; memory in bytes. */
interface RayNode {
  node_id: string;
  state: 'ALIVE' | 'DEAD';
  resources_total: { CPU?: number; GPU?: number; memory?: number };
}

const GIB = 2 ** 30;

/**
 * Throws UserError where no Ray answers at the address, and where none of its nodes has what a job is to be given; where nodes
 * may still come, it warns instead.
 */
export async function checkCluster(ray: Ray, config: RayJobs, terminal: Terminal): Promise<void> {
  await checkVersion(ray);
  const nodes = await readNodes(ray);
  const { gpus, cpus, memory = 0 } = config;
  const fits = ({ resources_total: has }: RayNode) =>
    (has.GPU ?? 0) >= gpus && (has.CPU ?? 0) >= cpus && (has.memory ?? 0) >= memory * GIB;
  if (nodes.some(fits)) return;
  const had = [...new Set(nodes.map(({ resources_total: has }) => describe(has)))].join('; ');
  const asked = describe({ GPU: gpus, CPU: cpus, memory: memory * GIB });
  const sentence = `Expected a node with ${asked} for each job but ${ray.address} has none (${had}).`;
  if (await mayGrow(ray, nodes)) terminal.warn(`${sentence} Jobs wait until one comes.`);
  else throw new UserError(`${sentence} Lower jobs.gpus, jobs.cpus or jobs.memory, or add such a node.`);
}

async function checkVersion(ray: Ray): Promise<void> {
  const next =
    'Set jobs.address to the dashboard of the cluster’s head (http://<head>:8265), and start that so that it can be ' +
    'reached from here: `ray start --head --dashboard-host=0.0.0.0`.';
  const where = `GET ${ray.address}/api/version`;
  const answer = await ray.ask('GET', '/api/version').catch((cause: unknown) => {
    throw new UserError(`${messageOf(cause)} ${next}`, { cause });
  });
  if (isStranger(answer)) throw new UserError(refusal(where, answer).message);
  if (!/"ray_version"/.test(answer.text))
    throw new UserError(expected('the version of a Ray', where, answer.text, next));
}

async function readNodes(ray: Ray): Promise<RayNode[]> {
  const { data } = await ray.read<{ data: { result: { result: RayNode[] } } }>('/api/v0/nodes?limit=10000');
  return data.result.result.filter(({ state }) => state === 'ALIVE');
}

/**
 * Whether an autoscaler may add nodes: always where it cannot be told. Where there is none, Ray reports each node as the only one
 * of its own type, `node_<its id>`.
 */
async function mayGrow(ray: Ray, nodes: readonly RayNode[]): Promise<boolean> {
  interface Status {
    data: { clusterStatus: { autoscalerReport?: { nodeTypeMapping?: Record<string, string> | null } } | null };
  }
  const { data } = await ray.read<Status>('/api/cluster_status');
  const types = data.clusterStatus?.autoscalerReport?.nodeTypeMapping ?? {};
  return !nodes.every(({ node_id }) => types[node_id] === `node_${node_id}`);
}

function describe({ GPU = 0, CPU = 0, memory = 0 }: RayNode['resources_total']): string {
  return `${GPU} GPUs, ${CPU} cores${memory > 0 ? `, ${(memory / GIB).toFixed(1)} GiB` : ''}`;
}
