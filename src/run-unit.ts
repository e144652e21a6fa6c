import { readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { runCli } from './cli.ts';
import { commands } from './commands/index.ts';
import { messageOf } from './core/errors.ts';
import { endOf, readAttempt, writeEnd } from './jobs/attempt.ts';

/**
 * What an engine runs for a unit of a sweep: the command of one attempt, as typed by its user in that folder with that environment,
 * and then how it ended, in a file that whoever drives the sweep reads.
 */
async function runAttempt(file: string): Promise<number> {
  const started = Date.now();
  const { words, cwd, environment } = await readAttempt(file);
  // An engine that puts a job back into its queue begins the same attempt again.
  await rm(endOf(file), { force: true });
  const variables = JSON.parse(await readFile(environment, 'utf8')) as Record<string, string>;
  Object.assign(process.env, variables, { INIT_CWD: cwd });
  let message: string | undefined;
  const code = await runCli(words, commands, (error) => {
    message = messageOf(error);
  });
  const why = message === undefined ? {} : { message };
  await writeEnd(file, { code, ...why, host: hostname(), started, ended: Date.now() });
  return code;
}

process.exit(await runAttempt(process.argv[2]!));
