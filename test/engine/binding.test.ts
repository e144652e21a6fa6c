import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';
import { linkCuda } from '../../src/engine/binding.ts';
import { PROJECT } from '../house/source-files.ts';
import { loadForTests } from './load-for-tests.ts';

test("the binding loads CUDA's libraries that are looked for in other folders than theirs; without CUDA none", async () => {
  const library = await mkdtemp(join(tmpdir(), 'cuda-'));
  assert.deepEqual(linkCuda(library), []);
  const folder = join(library, 'nvidia/cusolver/lib');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'libcusolver.so.11'), '');
  const words = linkCuda(library);
  for (const word of [`-L${folder}`, '-l:libcusolver.so.11', `-Wl,-rpath,${folder}`]) assert.ok(words.includes(word));
  assert.ok(words.indexOf('-Wl,--no-as-needed') < words.indexOf('-l:libcusolver.so.11'));
  await rm(library, { recursive: true });
});

test('TensorFlow says nothing when it is loaded, unless the user wants to hear it', async () => {
  const script = "await (await import('./test/engine/load-for-tests.ts')).loadForTests()";
  const hear = async (level?: string) => {
    const words = ['--import', 'tsx', '--input-type=module', '-e', script];
    const { stderr } = await execa(process.execPath, words, { cwd: PROJECT, env: { TF_CPP_MIN_LOG_LEVEL: level } });
    // Another test may hold the engine's lock: waiting for that is the harness's own line.
    return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('engine: '));
  };
  await loadForTests();
  assert.deepEqual(await hear(), []);
  assert.match((await hear('0')).join(), /oneDNN custom operations are on/);
});
