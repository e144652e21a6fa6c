import type { RayJobs } from '../../config/jobs.ts';
import { type Job, jobCommand } from '../executor.ts';

/** One node's jobs of a package share its unpacked folder: the first installs, the others wait for it, and a half one is made anew. */
const INSTALL = "flock .npm-ci.lock sh -c 'test -e .npm-ci.done || { npm ci --omit=dev && touch .npm-ci.done; }'";

/**
 * What a job runs, as the line of a shell that Ray takes, in the project's folder: its own, or where its package was unpacked.
 * The shell becomes node, so that node itself is what Ray waits for and signals.
 */
export function entrypointOf(job: Job, workingDir: RayJobs['working_dir'], project: string): string {
  const command = `exec ${jobCommand(job).map(quoteWord).join(' ')}`;
  return workingDir === 'shared' ? `cd ${quoteWord(project)} && ${command}` : `${INSTALL} && ${command}`;
}

/** One word of a shell's line that stands for exactly this text (POSIX 2.2.2). */
export function quoteWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
