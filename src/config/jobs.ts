import { z } from 'zod';
import { expected } from '../core/errors.ts';

/** What every unit is given of a machine. */
const resources = {
  /** Units that are with the engine at once; left out: this machine’s GPUs or one, on Ray and Slurm 1,000. */
  at_once: z.int().min(1).max(100_000).optional(),
  /** GPUs of a unit, on Ray and Slurm. */
  gpus: z
    .number()
    .min(0)
    .max(64)
    .refine((gpus) => Number.isInteger(gpus) || (gpus >= 1e-4 && gpus < 1), 'a whole number, or a share of one GPU')
    .default(1),
  /** Cores of a unit, on Ray and Slurm. */
  cpus: z.int().min(1).default(4),
  /** Memory of a unit in GiB, on Ray and Slurm; left out: it is not asked for. */
  memory: z.number().positive().optional(),
};

/** This machine: processes, each with a GPU of its own as long as there are some. */
const localJobs = z.strictObject({ executor: z.literal('local').default('local'), at_once: resources.at_once });

/** Ray Jobs, over its REST interface. */
const rayJobs = z.strictObject({
  executor: z.literal('ray'),
  ...resources,
  /** Of the head’s dashboard: `http://head:8265`. It is logged: a token comes from the environment. */
  address: z
    .url({ protocol: /^https?$/, error: 'an http or https address' })
    .refine((address) => !/^https?:\/\/[^/]*@/.test(address), 'an address without user and password (RAY_AUTH_TOKEN)'),
  /** `shared`: nodes see the project’s folder under the same path; `packed`: it is sent to them. */
  working_dir: z.enum(['shared', 'packed']).default('shared'),
});

/** Slurm, by sbatch. */
const slurmJobs = z.strictObject({
  executor: z.literal('slurm'),
  ...resources,
  gpus: z.int().min(0).max(64).default(1),
  partition: z.string().min(1).optional(),
  account: z.string().min(1).optional(),
  /** As sbatch has it: `2-12:00:00`. */
  time: z.string().min(1).optional(),
  /** Further options of sbatch: `[--constraint=a100, --qos=low]`. */
  options: z.array(z.string().startsWith('--')).default([]),
});

export type LocalJobs = z.infer<typeof localJobs>;
export type RayJobs = z.infer<typeof rayJobs>;
export type SlurmJobs = z.infer<typeof slurmJobs>;
export type JobsConfig = LocalJobs | RayJobs | SlurmJobs;

const BY_EXECUTOR = { local: localJobs, ray: rayJobs, slurm: slurmJobs } as const;

/** The schema of `jobs`, by its `executor`. */
export function jobsConfig(value: unknown): z.ZodType<JobsConfig> {
  const named = (value as { executor?: unknown } | null | undefined)?.executor ?? 'local';
  if (typeof named === 'string' && Object.hasOwn(BY_EXECUTOR, named)) {
    return BY_EXECUTOR[named as keyof typeof BY_EXECUTOR] as z.ZodType<JobsConfig>;
  }
  const unknown = z.any().superRefine((_, context) => {
    const sentence = expected('local, ray or slurm', 'jobs.executor', named);
    context.addIssue({ code: 'custom', path: ['executor'], message: sentence });
  });
  return unknown as z.ZodType<JobsConfig>;
}
