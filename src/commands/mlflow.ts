import { readSettings } from '../config/settings.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { ensureServer, type ServerFolders, serverStatus, stopServer } from '../tracking/server.ts';
import { checkServer, trackingOf } from '../tracking/tracking.ts';
import type { Command, CommandResult } from './command.ts';

/** `npm run mlflow [stop|status]`: the local tracking server and its UI. */
export const mlflowCommand: Command = {
  name: 'mlflow',
  summary: 'start the local tracking server and show its address',
  usage: '[start | stop | status]',
  keys: {},
  overrides: false,
  run: async ({ words, cwd, signal }, terminal) => {
    const settings = await readSettings(cwd);
    const [action = 'start'] = words;
    const remote = trackingOf(settings);
    if (action === 'stop') return await stop(settings, terminal);
    if (action !== 'start' && action !== 'status') {
      throw new UserError(expected('start, stop or status', 'npm run mlflow', action));
    }
    if (remote !== undefined) {
      await checkServer(remote);
      terminal.say(`MLflow       ${remote.uri} (MLFLOW_TRACKING_URI)`);
      return { json: { running: true, tracking_uri: remote.uri } };
    }
    return action === 'status' ? await status(settings, terminal) : await start(settings, terminal, signal);
  },
};

async function start(folders: ServerFolders, terminal: Terminal, signal: AbortSignal): Promise<CommandResult> {
  const address = await ensureServer(folders, terminal, signal);
  terminal.say(`MLflow       ${address}`);
  terminal.say('It goes on running for the next runs. Next: open the address in a browser, or `npm run mlflow stop`');
  return { json: { running: true, tracking_uri: address } };
}

async function status({ runsDir }: ServerFolders, terminal: Terminal): Promise<CommandResult> {
  const state = await serverStatus(runsDir);
  terminal.say(
    state === undefined ? 'MLflow       not running; `npm run mlflow` starts it' : `MLflow       ${state.address}`,
  );
  return { json: { running: state !== undefined, tracking_uri: state?.address ?? null } };
}

async function stop({ runsDir }: ServerFolders, terminal: Terminal): Promise<CommandResult> {
  const ran = await stopServer(runsDir);
  terminal.say(ran ? 'MLflow       stopped' : 'MLflow       the local server was not running');
  return { json: { running: false, tracking_uri: null } };
}
