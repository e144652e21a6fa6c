import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { readSettings } from '../../src/config/settings.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { readJournal } from '../../src/tracking/journal.ts';
import type { JournalEntry } from '../../src/tracking/journal-entry.ts';
import { ensureMlflow } from '../../src/tracking/mlflow-install.ts';
import { ensureServer, stopServer } from '../../src/tracking/server.ts';
import { readUpload, syncRun } from '../../src/tracking/uploader.ts';
import { runExp, SMALL_EXPERIMENT } from '../jobs/run-exp.ts';

let folder: string;
let uri: string;
let python: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-back-'));
  await writeFile(join(folder, 'told.yml'), SMALL_EXPERIMENT);
  const { cacheDir } = await readSettings();
  python = await ensureMlflow(cacheDir, silentTerminal);
  uri = await ensureServer({ cacheDir, runsDir: join(folder, 'runs') }, silentTerminal);
});
after(async () => {
  await stopServer(join(folder, 'runs'));
  await rm(folder, { recursive: true, force: true });
});

interface Point {
  key: string;
  step: number;
  time: number;
  value: number | string;
}

interface ReadBack {
  name: string;
  status: string;
  params: Record<string, string>;
  tags: Record<string, string>;
  points: Point[];
  inputs: { name: string; digest: string; source: { uri: string }; profile: object; context: string }[];
  artifacts: { path: string; bytes: number }[];
  models: { name: string; source: string; tags: Record<string, string>; aliases: string[] }[];
  children: string[];
}

async function readBack(runId: string): Promise<ReadBack> {
  const script = new URL('./read_back.py', import.meta.url).pathname;
  return JSON.parse((await execa(python, [script, uri, runId])).stdout);
}

const exp = (words: string[], hear?: (said: string, pid: number) => void) =>
  runExp(folder, uri, ['told.yml', 'epochs=2', 'swa_epochs=1', ...words], hear);

/** Everything in a journal is in what was read back, and nothing else of these kinds is. */
async function assertEqual(runDir: string, told: ReadBack): Promise<void> {
  const entries = readJournal(join(runDir, 'journal.jsonl'));
  const of = <T extends JournalEntry['type']>(type: T) =>
    entries.filter((entry): entry is Extract<JournalEntry, { type: T }> => entry.type === type);
  const key = (point: Point) => `${point.key} ${point.step} ${point.time} ${point.value}`;
  const points = of('metrics').flatMap(({ values, step, time }) =>
    Object.entries(values).map(([name, value]) => key({ key: name, step, time, value })),
  );
  assert.deepEqual(told.points.map(key).sort(), points.sort());
  const run = of('run')[0]!;
  assert.deepEqual(told.params, run.params);
  const tags: Record<string, string> = Object.assign({}, run.tags, ...of('tags').map((entry) => entry.tags));
  assert.equal(told.name, tags['mlflow.runName']);
  for (const [name, value] of Object.entries(tags)) {
    assert.equal(told.tags[name], value, name);
  }
  const inputs = of('dataset').map(({ name, digest, source, profile, context }) => {
    return { name, digest, source: { uri: source }, profile, context };
  });
  const byContext = (a: { context: string }, b: { context: string }) => (a.context < b.context ? -1 : 1);
  assert.deepEqual([...told.inputs].sort(byContext), inputs.sort(byContext));
  for (const { file, artifact_path: path } of of('artifact')) {
    const found = told.artifacts.find((artifact) => artifact.path === path);
    assert.equal(found?.bytes, (await stat(join(runDir, file))).size, path);
  }
  for (const { key: image, step, file } of of('image')) {
    const begin = `images/${image.replaceAll('/', '~')}+step+${step}+`;
    const found = told.artifacts.find(({ path }) => path.startsWith(begin) && path.endsWith('.png'));
    assert.equal(found?.bytes, (await stat(join(runDir, file))).size, begin);
  }
  const [model] = of('model');
  assert.equal(told.models.length, model === undefined ? 0 : 1);
  if (model !== undefined) {
    assert.equal(told.models[0]!.name, model.name);
    assert.ok(told.models[0]!.source.endsWith(model.artifact_path), told.models[0]!.source);
    assert.equal(told.models[0]!.tags['checkpoint.sha256'], model.tags['checkpoint.sha256']);
    assert.ok(told.models[0]!.aliases.includes(model.alias), told.models[0]!.aliases.join());
  }
  assert.equal(told.status, of('end').at(-1)?.status);
}

test('MLflow’s own client reads back everything that a run and its folds logged', async () => {
  const { code, stderr, json } = await exp(['data.fold=all']);
  assert.equal(code, 0, stderr);
  const parent = await readBack(json.mlflow_run_id);
  assert.equal(readUpload(json.run_dir).pending, 0);
  await assertEqual(json.run_dir, parent);
  assert.ok('cv/dice_mean' in Object.fromEntries(parent.points.map(({ key }) => [key, true])));
  const children: { mlflow_run_id: string; run_dir: string }[] = json.folds;
  assert.deepEqual(parent.children, children.map((child) => child.mlflow_run_id).sort());
  for (const child of children) {
    const told = await readBack(child.mlflow_run_id);
    await assertEqual(child.run_dir, told);
    const keys = new Set(told.points.map(({ key }) => key));
    const wanted = ['train/loss', 'lr', 'val/loss', 'val/dice', 'val/dice_positive', 'val/iou', 'val/dice_best'];
    for (const key of [...wanted, 'system/images_per_second', 'system/data_wait_fraction'])
      assert.ok(keys.has(key), key);
    const paths = told.artifacts.map(({ path }) => path);
    for (const path of ['config.yml', 'environment.json', 'curves/dice-by-threshold.png'])
      assert.ok(paths.includes(path));
    assert.ok(paths.some((path) => /^checkpoints\/.*\/manifest\.json$/.test(path)));
    assert.ok(paths.some((path) => path.startsWith('images/val~worst+step+1+')));
  }
});

test('a run that is killed in mid-upload has everything in MLflow after two syncs', async () => {
  let killed = false;
  const name = 'name=cut';
  await exp([name], (said, pid) => {
    if (killed || !/epoch 1\/2: val loss/.test(said)) return;
    killed = true;
    // The whole group: nobody is left to end the run.
    process.kill(-pid, 'SIGKILL');
  });
  const { code, stderr, json } = await exp([name, 'resume=last']);
  assert.equal(code, 0, stderr);
  const first = await syncRun(json.run_dir, { uri }, silentTerminal);
  const second = await syncRun(json.run_dir, { uri }, silentTerminal);
  assert.deepEqual([first.pending, second.pending, second.uploaded], [0, 0, 0]);
  await assertEqual(json.run_dir, await readBack(json.mlflow_run_id));
  assert.match(await readFile(join(json.run_dir, 'environment.json'), 'utf8'), /"tensorflow"/);
});
