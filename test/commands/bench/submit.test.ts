import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { measureBuild, prepare } from '../../../src/commands/bench/submit/measure.ts';
import { goalsOf, type SubmitFigures, submitReport } from '../../../src/commands/bench/submit/report.ts';
import { drawBlobs } from '../../../src/commands/bench/submit/synthetic.ts';
import { benchSubmit } from '../../../src/commands/bench/submit.ts';
import { sha256File } from '../../../src/core/atomic-file.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';
import { openProbabilityStore } from '../../../src/predict/probability-store.ts';

const MACHINE = { processor: 'a processor', cores: 2, memory_gb: 24, system: 'a system' };
const signal = new AbortController().signal;

const FIGURES: SubmitFigures = {
  images: 3205,
  ours: { seconds: 41.25, peak_rss_bytes: 5e8, csv: 'x.csv', rows: 3205, positives: 700 },
  python: {
    ...{ seconds: 60, peak_rss_bytes: 1e8, versions: { numpy: '2', opencv: '4' } },
    components: { masks: 100, components: 150, seconds: 0.2 },
  },
  components: { masks: 100, components: 150, seconds: 0.05 },
  agreement: { dice: 0.99999, same: 3100 },
};

test('the goals are 60 s for all of stage 2, 2 GB, and OpenCV’s time for components', () => {
  assert.deepEqual(goalsOf(FIGURES), { seconds: true, memory: true, components: true });
  const part = { ...FIGURES, images: 1602, components: { ...FIGURES.components, seconds: 0.3 } };
  assert.deepEqual(goalsOf(part), { seconds: false, memory: true, components: false });
  const head = { command: 'npm run bench submit', date: '2019-09-01', machine: MACHINE, load: 0.25, processes: 2 };
  const report = submitReport(head, FIGURES);
  assert.match(report, /\| the harness, the whole process \| 41\.3 \| 12\.9 \| 500 \|/);
  assert.match(report, /under 60 s for 3205 images: reached; under 2 GB: reached/);
  assert.match(report, /\| the harness \| 0\.50 \| 150 \|[\s\S]*\| OpenCV, .* \| 2\.00 \| 150 \|/);
  assert.match(report, /load at the start 0\.3\n/);
  assert.match(submitReport({ ...head, load: 4 }, FIGURES), /load at the start 4\.0: other work ran beside/);
});

test('made-up members are smooth, see the same masks, and are the same again by their seed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-submit-'));
  try {
    const job = await prepare(folder, 12, { seed: 1, signal }, silentTerminal);
    const [first, second] = await Promise.all(job.stores.map((path) => openProbabilityStore(path)));
    assert.deepEqual([first!.resolution, second!.resolution], [512, 768]);
    const lit = (store: typeof first, image: number) => store!.read(`image-${image}`).some((byte) => byte > 60);
    for (let image = 0; image < 12; image++) {
      const seen = drawBlobs(1, image).blobs.length > 0;
      assert.deepEqual([lit(first, image), lit(second, image)], [seen, seen], `image ${image}`);
    }
    for (const store of [first!, second!]) store.close();
    const digest = await sha256File(job.stores[0]!);
    const built = await measureBuild(job, signal);
    assert.equal(built.rows, 12);
    assert.ok(built.seconds > 0 && built.peak_rss_bytes > 1e7);
    assert.equal(await sha256File((await prepare(folder, 12, { seed: 1, signal }, silentTerminal)).stores[0]!), digest);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('words that are no numbers are refused before anything is made', async () => {
  const args = { words: [], values: { images: 'many' }, cwd: tmpdir(), signal };
  await assert.rejects(
    benchSubmit(args, silentTerminal),
    /Expected a whole number from 1 for images but received "many"/,
  );
});
