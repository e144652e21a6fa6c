import { readFileSync, rmSync } from 'node:fs';
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
  let message: string | undefined;
  // However this process comes to its end, but for one that kills it, it says so.
  process.on('exit', (code) => {
    const why = message === undefined ? {} : { message };
    writeEnd(file, { code, ...why, host: hostname(), started, ended: Date.now() });
  });
  const { words, cwd, environment } = await readAttempt(file);
  // An engine that puts a job back into its queue begins the same attempt again.
  rmSync(endOf(file), { force: true });
  const variables = JSON.parse(readFileSync(environment, 'utf8')) as Record<string, string>;
  Object.assign(process.env, variables, { INIT_CWD: cwd });
  return await runCli(words, commands, (error) => {
    message = messageOf(error);
  });
}

process.exit(await runAttempt(process.argv[2]!));
