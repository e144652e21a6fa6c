import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { benchLoader } from '../../../src/commands/bench/loader.ts';
import { writeLoaderData } from '../../../src/commands/bench/loader-data.ts';
import { areaOfRuns } from '../../../src/core/rle.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';

const { signal } = new AbortController();
const run = (values: Record<string, string>) =>
  benchLoader({ words: [], values, cwd: tmpdir(), signal }, silentTerminal);

test('the loader is measured on its own, and nothing is left behind', async () => {
  const leftovers = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('bench-loader-'));
  const before = await leftovers();
  const { json } = await run({ resolution: '64', batch_size: '3', workers: '1', images: '24' });
  const { images_per_second: rate, seconds, start_ms: start, ...rest } = json as Record<string, number>;
  assert.deepEqual(rest, { images: 24, resolution: 64, batch_size: 3, workers: 1 });
  assert.ok(Math.abs(rate! * seconds! - 24) < 1e-6);
  assert.ok(start! > 0);
  const added = (await leftovers()).filter((name) => !before.includes(name));
  assert.deepEqual(added, []);
});

test('its masks are as many and as large as the real ones', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'loader-data-'));
  const dataset = await writeLoaderData(folder, 600, 8);
  dataset.close();
  await rm(folder, { recursive: true });
  const areas = dataset.images.map(({ truth }) => areaOfRuns(truth!)).filter((area) => area > 0);
  areas.sort((a, b) => a - b);
  assert.ok(areas.length > 0.17 * 600 && areas.length < 0.27 * 600, `${areas.length} positives`);
  const median = areas[Math.floor(areas.length / 2)]!;
  assert.ok(median > 6000 && median < 12000, `median ${median}`);
  assert.ok(areas.at(-1)! < 165_000 && areas.at(-1)! > 40_000, `largest ${areas.at(-1)}`);
});

test('keys and values that make no sense are refused', async () => {
  await assert.rejects(run({ worker: '2' }), { name: 'UserError', message: /the keys of bench loader.*worker/ });
  for (const wrong of ['0', '-1', '2.5', 'many', '100']) {
    await assert.rejects(run({ workers: wrong }), { name: 'UserError', message: /from 1 to 99 for workers/ });
  }
});
