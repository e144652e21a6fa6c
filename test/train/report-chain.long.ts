import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The report's whole chain as it is shipped, in its quick form, and the submission of its two models. */
const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const CHAIN = ['256-bce-dice', '512-dice', '512-focal-swa', '768-dice', '768-swa'];
const SIDES = [64, 96, 96, 128, 128];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-chain-'));
  for (const part of ['experiments', 'submissions'])
    await cp(join(PROJECT, part), join(folder, part), { recursive: true });
});
after(async () => await rm(folder, { recursive: true }));

async function run(
  ...words: string[]
): Promise<{ code: number | null; json: Record<string, unknown>; stderr: string }> {
  // Nobody listens on port 1.
  const env = { INIT_CWD: folder, MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', PNEUMOTHORAX_RUNS: join(folder, 'runs') };
  const child = spawn(process.execPath, ['--import', 'tsx', join(PROJECT, 'src/cli.ts'), ...words, 'json=true'], {
    cwd: PROJECT,
    env: { ...process.env, ...env },
  });
  const [out, err]: string[][] = [[], []];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => out!.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => err!.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const stdout = out!.join('');
  return { code, json: stdout === '' ? {} : JSON.parse(stdout), stderr: err!.join('') };
}

interface Run {
  run_id: string;
  run_dir: string;
  status: string;
  checkpoint: string;
}
let runs: Run[];

test('one command trains all five, each from the weights of the one before and at its own resolution', async () => {
  const { code, json, stderr } = await run('exp', ...CHAIN.map((name) => `experiments/${name}.yml`), 'quick=true');
  assert.equal(code, 0, stderr);
  runs = json.runs as Run[];
  assert.deepEqual(
    runs.map(({ status }) => status),
    CHAIN.map(() => 'FINISHED'),
  );
  const configs = await Promise.all(
    runs.map(async ({ run_dir }) => parse(await readFile(join(run_dir, 'config.yml'), 'utf8'))),
  );
  assert.deepEqual(
    configs.map(({ name }) => name),
    CHAIN,
  );
  assert.deepEqual(
    configs.map(({ resolution }) => resolution),
    SIDES,
  );
  const averaged = runs.map(({ checkpoint }) => checkpoint === 'swa');
  assert.deepEqual(averaged, [false, false, true, false, true]);
});

test('the two final models make a submission of each stage, and score their own validation images', async () => {
  for (const stage of ['1', '2', 'oof']) {
    const { code, json, stderr } = await run('submit', 'submissions/final-two-model.yml', `stage=${stage}`);
    assert.equal(code, 0, `stage ${stage}: ${stderr}`);
    const rows = (await readFile(String(json.csv), 'utf8')).trimEnd().split('\n');
    assert.equal(rows[0], 'ImageId,EncodedPixels');
    assert.equal(rows.length - 1, json.rows);
    const { members, tta } = JSON.parse(await readFile(String(json.manifest), 'utf8'));
    assert.deepEqual(
      members.map(({ run_id, resolution, checkpoint_id }: Record<string, unknown>) => [
        run_id,
        resolution,
        checkpoint_id,
      ]),
      [runs[2]!, runs[4]!].map(({ run_id }, index) => [run_id, [96, 128][index], 'swa']),
    );
    assert.deepEqual(tta, ['none', 'hflip']);
  }
});
