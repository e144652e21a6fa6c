import { execa } from 'execa';
import { UserError } from '../../core/errors.ts';

/** A user's own habits of looking at a queue: they would change what is asked here. */
const HABITS = /^(SQUEUE|SINFO|SCANCEL)_/;

/** What sbatch says where asking again would not help. */
const REFUSED = /invalid|not available|more processors requested|unrecognized option/i;

/** What it says where a queue is full, or takes fewer jobs of one user than there are in an array. */
const TOO_MANY = /policy|limit|temporarily/i;

/**
 * What a program of Slurm prints.
 * Throws UserError where there is none or it refuses what it is asked for, and Error where the controller does not answer.
 * @param wish what it is to do, as the middle of a sentence: `take 6 jobs`
 */
export async function askSlurm(program: string, words: readonly string[], wish: string): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !HABITS.test(name)));
  const options = { env, extendEnv: false, stdin: 'ignore', reject: false, timeout: 120_000 } as const;
  const { failed, code, stdout, stderr, shortMessage } = await execa(program, words, options);
  if (!failed) return stdout;
  if (code === 'ENOENT') {
    const next = 'Begin the sweep on a login node of the cluster, or load the module that brings Slurm.';
    throw new UserError(`Expected Slurm’s ${program} for jobs.executor=slurm but there is none on the PATH. ${next}`);
  }
  const reason = (stderr || shortMessage || '').trim();
  const sentence = `Expected ${program} to ${wish} but it failed:\n${reason}`;
  if (program === 'sbatch' && REFUSED.test(reason)) {
    throw new UserError(`${sentence}\nChange partition, account, time, gpus, cpus, memory or options of jobs.`);
  }
  const next =
    program === 'sbatch' && TOO_MANY.test(reason) ? '\nWhere the queue takes fewer jobs, lower jobs.at_once.' : '';
  throw new Error(`${sentence}${next}`);
}
