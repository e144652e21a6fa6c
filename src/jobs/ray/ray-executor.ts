import { setTimeout as sleep } from 'node:timers/promises';
import type { RayJobs } from '../../config/jobs.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { Executor, JobState } from '../executor.ts';
import { checkCluster } from './check-cluster.ts';
import { entrypointOf } from './entrypoint.ts';
import { type ProjectPackage, packProject, uploadPackage } from './package-project.ts';
import { connectRay, refusal } from './ray-http.ts';

/** What Ray says of a job. */
interface RayJob {
  /** Null for a program that somebody runs without submitting it. */
  submission_id: string | null;
  status: 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'STOPPED';
  entrypoint: string;
  error_type: string | null;
  /** What has become of it, in words. */
  message: string | null;
  metadata: Record<string, string> | null;
}

const ASK_EVERY_MS = 2000;

/** Requests that are under way at once. */
const REQUESTS = 8;

const LOG_BYTES = 64 * 1024;

/** So long after SIGTERM Ray kills a job; without a word of ours after 3 s, which is too short to save in. */
const STOP_WAIT_S = 600;

/**
 * Ray Jobs, by the REST interface of the cluster's head. A job's id is Ray's `submission_id` and the handle: handing over one
 * that Ray has changes nothing.
 */
export function rayExecutor(
  config: RayJobs,
  { project, sweep, terminal }: { project: string; sweep: string; terminal: Terminal },
): Executor {
  const ray = connectRay(config.address);
  const takenBack = new Set<string>();
  let packed: Promise<ProjectPackage> | undefined;
  /** Packed once: all that this process hands over is the same code. */
  const pack = () => {
    packed ??= packProject(project);
    return packed;
  };
  const runtimeEnv = async () => ({
    // Ray's process beside the job reads it.
    env_vars: { RAY_JOB_STOP_WAIT_TIME_S: String(STOP_WAIT_S) },
    ...(config.working_dir === 'packed' ? { working_dir: await uploadPackage(ray, await pack()) } : {}),
  });

  const handOver = async (id: string, entrypoint: string, runtime_env: object) => {
    const answer = await ray.ask('POST', '/api/jobs/', {
      submission_id: id,
      entrypoint,
      runtime_env,
      metadata: { sweep },
      entrypoint_num_gpus: config.gpus,
      entrypoint_num_cpus: config.cpus,
      ...(config.memory === undefined ? {} : { entrypoint_memory: Math.ceil(config.memory * 2 ** 30) }),
    });
    const known = answer.text.includes(`submission_id ${id} already exists`);
    if (answer.status !== 200 && !known) throw refusal(`POST ${ray.address}/api/jobs/ (${id})`, answer);
  };

  /** Ray has given up jobs that found no room for 15 min (RAY_JOB_START_TIMEOUT_SECONDS of its head): they wait on. */
  const handOverAgain = async (jobs: readonly RayJob[]) => {
    if (jobs.length === 0) return;
    const environment = await runtimeEnv();
    await forEach(jobs, async ({ submission_id, entrypoint }) => {
      await ray.ask('DELETE', `/api/jobs/${submission_id}`);
      await handOver(submission_id!, entrypoint, environment);
    });
  };

  return {
    atOnce: config.at_once ?? 1000,
    check: async () => {
      await checkCluster(ray, config, terminal);
      if (config.working_dir === 'packed') await pack();
    },
    submit: async (jobs) => {
      const environment = await runtimeEnv();
      await forEach(jobs, (job) => handOver(job.id, entrypointOf(job, config.working_dir, project), environment));
      return jobs.map(({ id }) => id);
    },
    status: async (handles) => {
      const wanted = new Set(handles);
      const jobs = await ray.read<RayJob[]>('/api/jobs/');
      const known = new Map(
        jobs.filter((job) => wanted.has(job.submission_id!)).map((job) => [job.submission_id, job]),
      );
      await handOverAgain([...known.values()].filter((job) => isGivenUp(job) && !takenBack.has(job.submission_id!)));
      return new Map(handles.map((handle) => [handle, stateOf(known.get(handle), takenBack.has(handle))]));
    },
    logs: async (handle) => {
      const path = `/api/jobs/${handle}/logs`;
      const answer = await ray.ask('GET', path);
      if (answer.status === 404) return '';
      if (answer.status !== 200) throw refusal(`GET ${ray.address}${path}`, answer);
      const { logs } = JSON.parse(answer.text) as { logs: string };
      if (logs !== '') return endOfText(logs);
      // Of one that could not be begun Ray says the reason elsewhere.
      const { status, message } = await ray.read<RayJob>(`/api/jobs/${handle}`);
      return status === 'FAILED' ? endOfText(message ?? '') : '';
    },
    cancel: async (handles) => {
      await forEach(handles, async (handle) => {
        const path = `/api/jobs/${handle}/stop`;
        const answer = await ray.ask('POST', path);
        if (answer.status !== 200 && answer.status !== 404) throw refusal(`POST ${ray.address}${path}`, answer);
        takenBack.add(handle);
      });
    },
    list: async (id) => {
      const jobs = await ray.read<RayJob[]>('/api/jobs/');
      const own = jobs.filter(({ metadata, submission_id }) => metadata?.sweep === id && submission_id !== null);
      return new Map(own.map(({ submission_id }) => [submission_id!, submission_id!]));
    },
    wait: async (signal) => {
      await sleep(ASK_EVERY_MS, undefined, { signal }).catch(() => {});
    },
  };
}

function isGivenUp({ status, error_type }: RayJob): boolean {
  return status === 'FAILED' && error_type === 'JOB_SUPERVISOR_ACTOR_START_TIMEOUT';
}

/** A job that was told to stop while it waits stays PENDING until there is room for it, and is ended as it begins. */
function stateOf(job: RayJob | undefined, takenBack: boolean): JobState {
  if (job === undefined) return 'gone';
  if (job.status === 'RUNNING') return 'running';
  return (job.status === 'PENDING' || isGivenUp(job)) && !takenBack ? 'waiting' : 'gone';
}

/** From the beginning of a line. */
function endOfText(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= LOG_BYTES) return text;
  const end = bytes.subarray(-LOG_BYTES);
  return end.subarray(end.indexOf('\n') + 1).toString();
}

async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += REQUESTS) await Promise.all(items.slice(at, at + REQUESTS).map(work));
}
