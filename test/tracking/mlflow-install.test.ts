import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { ensureMlflow, MLFLOW_VERSION } from '../../src/tracking/mlflow-install.ts';

const folder = await mkdtemp(join(tmpdir(), 'mlflow-install-'));
const systemPath = process.env.PATH;
after(() => rm(folder, { recursive: true }));
afterEach(() => {
  process.env.PATH = systemPath;
});

const venv = join(folder, 'cache', `mlflow-${MLFLOW_VERSION}`);

/** A `python3` that answers the probe as told and makes an environment whose Python is `inner`. */
async function standIn(probe: string, inner = 'exit 9'): Promise<void> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const makeVenv = `mkdir -p "$3/bin"; printf '#!/bin/sh\\n%s\\n' '${inner}' > "$3/bin/python"; chmod +x "$3/bin/python"`;
  const script = `#!/bin/sh\ncase "$1 $2" in "-m venv") ${makeVenv};; *) ${probe};; esac\n`;
  await writeFile(join(bin, 'python3'), script, { mode: 0o755 });
  process.env.PATH = `${bin}:${systemPath}`;
}

function ensure(signal?: AbortSignal): Promise<string> {
  return ensureMlflow(join(folder, 'cache'), silentTerminal, signal);
}

async function refused(message: RegExp): Promise<void> {
  await assert.rejects(ensure(), (error) => error instanceof UserError && message.test(error.message));
  assert.equal(existsSync(venv), false);
}

test('what is missing is said in one sentence with the command that brings it', async () => {
  process.env.PATH = join(folder, 'nothing');
  await refused(/there is no python3\. Run `sudo apt-get install python3 python3-venv`/);
  await standIn('exit 1');
  await refused(/python3 has no venv module\. Run `sudo apt-get install python3-venv`/);
  await standIn('echo 3.9');
  await refused(/Python 3\.10 or newer .*python3 is 3\.9/);
});

test('when pip fails its last words are told, and no half environment stays', async () => {
  await standIn('echo 3.12', 'echo "no such index" >&2; exit 1');
  await refused(/it failed:\nno such index\nCheck the network.*PIP_INDEX_URL.*MLFLOW_TRACKING_URI/);
});

test('a whole environment is used again, a half one or one of another Python is made anew', async () => {
  const log = join(folder, 'pip.log');
  // Notes each installation; answers the probe with its Python's version.
  const inner = `case "$2" in pip) echo "$@" >> ${log};; *) echo 3.12;; esac`;
  const installations = async () => (await readFile(log, 'utf8')).trim().split('\n').length;
  await mkdir(join(venv, 'bin'), { recursive: true });
  await writeFile(join(venv, 'bin', 'leftover'), '');
  await standIn('echo 3.12', inner);
  assert.equal(await ensure(), join(venv, 'bin', 'python'));
  assert.equal(existsSync(join(venv, 'bin', 'leftover')), false);
  await ensure();
  assert.equal(await installations(), 1);
  await writeFile(join(venv, 'complete.json'), JSON.stringify({ mlflow: MLFLOW_VERSION, python: '3.11' }));
  await ensure();
  assert.equal(await installations(), 2);
  await rm(venv, { recursive: true });
});

test('an installation can be stopped', async () => {
  await standIn('echo 3.12', 'exec sleep 60');
  const stop = new AbortController();
  const failure = assert.rejects(ensure(stop.signal), /was stopped/);
  while (!existsSync(join(venv, 'bin', 'python'))) await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  await failure;
  assert.equal(existsSync(venv), false);
});
