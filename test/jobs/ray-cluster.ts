import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { readSettings } from '../../src/config/settings.ts';
import { messageOf } from '../../src/core/errors.ts';
import { ensurePythonEnvironment } from '../../src/core/python-environment.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { connectRay } from '../../src/jobs/ray/ray-http.ts';
import { freePorts } from '../free-port.ts';

/** A Ray of one node with four cores and no GPU. */
export interface RayCluster {
  /** Of its dashboard. */
  address: string;
  /** Ends its jobs and its processes, and removes its folder. */
  stop(): Promise<void>;
}

const VERSION = '2.60.0';

/**
 * Starts a Ray of its own on free ports, in a temporary folder; installs it into the harness's cache where it is absent. The
 * machine's own, where there is one, is not touched. A sentence that says why, where that cannot be.
 * @param environment of its processes, beside this one's
 */
export async function startRay(environment: Record<string, string> = {}): Promise<RayCluster | string> {
  let python: string;
  try {
    python = await installRay();
  } catch (error) {
    return `Ray cannot be installed: ${messageOf(error)}`;
  }
  // Its sockets lie in there, and their paths must be short.
  const folder = await mkdtemp(join(tmpdir(), 'ray-'));
  const log = join(folder, 'ray.log');
  const [port, dashboard, agent, client] = await freePorts(4);
  const words = [
    ...['start', '--head', '--block', '--disable-usage-stats', '--include-dashboard=true', `--temp-dir=${folder}`],
    ...[`--port=${port}`, '--dashboard-host=127.0.0.1', `--dashboard-port=${dashboard}`],
    ...[`--dashboard-agent-listen-port=${agent}`, `--ray-client-server-port=${client}`],
    ...['--num-cpus=4', '--num-gpus=0', '--memory=8589934592', '--object-store-memory=100000000'],
  ];
  // Jobs find this very node first; what of another Ray is in the environment is not theirs.
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  const env = { ...environment, PATH, RAY_ADDRESS: undefined, RAY_AUTH_MODE: 'disabled' };
  // As long as it stands, so do the daemons that it started.
  const head = execa(join(dirname(python), 'ray'), words, {
    env,
    stdin: 'ignore',
    stdout: { file: log },
    stderr: { file: log },
    reject: false,
  });
  const stop = async () => {
    head.kill('SIGTERM');
    await head;
    await rm(folder, { recursive: true, force: true });
  };
  const address = `http://127.0.0.1:${dashboard}`;
  try {
    await untilWell(address, () => head.exitCode !== null);
    return { address, stop };
  } catch (error) {
    const said = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-5);
    await stop();
    return `Ray cannot be started: ${messageOf(error)}\n${said.join('\n')}`;
  }
}

async function installRay(): Promise<string> {
  const { cacheDir } = await readSettings();
  const environment = {
    folder: join(cacheDir, `ray-${VERSION}`),
    label: 'ray',
    title: `Ray ${VERSION}`,
    effort: 'about a minute, 400 MB',
    install: [`ray[default]==${VERSION}`],
    otherwise: 'leave out the tests that need it',
  };
  return await ensurePythonEnvironment(environment, silentTerminal);
}

/** Until its node is there, and it has said that nothing adds others. */
async function untilWell(address: string, isOver: () => boolean): Promise<void> {
  const ray = connectRay(address);
  for (let left = 240; ; left--) {
    try {
      const answer = await ray.ask('GET', '/api/cluster_status');
      if (answer.text.includes('nodeTypeMapping": {"')) return;
      throw new Error(`it says ${answer.text.slice(0, 200)}`);
    } catch (error) {
      if (left === 0 || isOver()) throw error;
      await sleep(500);
    }
  }
}
