import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { feedStep } from '../../../src/commands/bench/gpu/feed.ts';
import { lossDifference } from '../../../src/commands/bench/gpu/figures.ts';
import { findGpu } from '../../../src/commands/bench/gpu/nvidia.ts';
import { readPlan } from '../../../src/commands/bench/gpu/plan.ts';
import { runProcess } from '../../../src/commands/bench/gpu/processes.ts';
import { listRows } from '../../../src/commands/bench/gpu/steps.ts';
import { findTorch } from '../../../src/commands/bench/gpu/torch.ts';
import { useOf, watchGpu } from '../../../src/commands/bench/gpu/watch.ts';
import { benchGpu } from '../../../src/commands/bench/gpu.ts';
import { writeLoaderData } from '../../../src/commands/bench/loader-data.ts';
import { UserError } from '../../../src/core/errors.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';
import type { Batch } from '../../../src/data/batch.ts';
import type { TrainStep } from '../../../src/train/step.ts';

const { signal } = new AbortController();
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-gpu-test-'));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A program that stands in for `nvidia-smi` or Python. */
async function program(name: string, lines: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${lines}\n`);
  await chmod(path, 0o755);
  return path;
}

test('what is measured: three sizes, or those that are named', () => {
  assert.deepEqual(readPlan({}).sizes, [
    { resolution: 512, batchSize: 4 },
    { resolution: 768, batchSize: 2 },
    { resolution: 1024, batchSize: 1 },
  ]);
  assert.deepEqual(readPlan({ resolution: '256,768,2048,64x3' }).sizes, [
    { resolution: 256, batchSize: 16 },
    { resolution: 768, batchSize: 2 },
    { resolution: 2048, batchSize: 1 },
    { resolution: 64, batchSize: 3 },
  ]);
  assert.equal(readPlan({}).model.encoder, 'efficientnet-b4');
  assert.equal(readPlan({ steps: '7', encoder: 'efficientnet-b0' }).steps, 7);
});

for (const [values, message] of [
  [{ images: '3' }, /the keys of bench gpu but received "images"/],
  [{ resolution: '500' }, /multiples of 32.* for resolution but received "500"/],
  [{ resolution: '512x0' }, /for resolution/],
  [{ resolution: '512,' }, /for resolution/],
  [{ steps: '0' }, /a whole number from 1 for steps but received "0"/],
  [{ encoder: 'vgg' }, /efficientnet-b4.* for encoder but received "vgg"/],
] as [Record<string, string>, RegExp][]) {
  test(`what the bench does not take is refused: ${JSON.stringify(values)}`, () => {
    assert.throws(
      () => readPlan(values),
      (error) => error instanceof UserError && message.test(error.message),
    );
  });
}

test('every size in every precision, the largest with recomputation as well', () => {
  const rows = listRows(readPlan({ resolution: '64x2,96x1' }));
  assert.deepEqual(
    rows.map(({ size, precision, recompute }) => `${size.resolution} ${precision}${recompute ? ' again' : ''}`),
    [
      ...['64 float32', '64 mixed_bfloat16', '64 mixed_float16', '96 float32', '96 mixed_bfloat16', '96 mixed_float16'],
      ...['96 float32 again', '96 mixed_bfloat16 again', '96 mixed_float16 again'],
    ],
  );
});

test('without a GPU one sentence says why, and no report is written', async () => {
  const said: string[] = [];
  const terminal = { ...silentTerminal, say: (line: string) => void said.push(line) };
  const args = { words: [], values: {}, cwd: folder, signal };
  const { json, exitCode } = await benchGpu(args, terminal, (visible) => findGpu(visible, 'nvidia-smi', false));
  assert.equal(exitCode, undefined);
  assert.deepEqual(json, { gpu: null, why: 'there is no NVIDIA driver' });
  assert.deepEqual(said, ['Nothing was measured: there is no NVIDIA driver here.']);
  assert.equal(existsSync(join(folder, 'reports')), false);
});

test('the GPU is the first that CUDA_VISIBLE_DEVICES shows, as nvidia-smi describes it', async () => {
  const smi = await program('smi', 'for word; do last=$word; done; echo "GPU $last, 555.42, 81559"');
  const memory_bytes = 81559 * 2 ** 20;
  assert.deepEqual(await findGpu('2,0', smi, true), { id: '2', name: 'GPU --id=2', driver: '555.42', memory_bytes });
  assert.deepEqual(await findGpu(undefined, smi, true), {
    id: '0',
    name: 'GPU --id=0',
    driver: '555.42',
    memory_bytes,
  });
});

test('no driver, no visible GPU, no nvidia-smi and one that fails are all no GPU', async () => {
  const broken = await program('broken-smi', 'echo "driver/library version mismatch" >&2; exit 18');
  const missing = async (...args: Parameters<typeof findGpu>) =>
    ((await findGpu(...args)) as { missing: string }).missing;
  assert.equal(await missing(undefined, broken, false), 'no NVIDIA driver');
  assert.equal(await missing('-1', broken, true), 'no GPU that CUDA_VISIBLE_DEVICES=-1 shows');
  assert.match(await missing(undefined, broken, true), /^no nvidia-smi that answers \(.*exit code 18/);
  assert.match(await missing(undefined, join(folder, 'absent'), true), /^no nvidia-smi that answers \(.*ENOENT/);
});

const look = (at: number, ...fields: number[]) => ({ at, fields });

test('memory is the most that the process held in its time', () => {
  const whole = [look(0, 0, 100), look(2000, 50, 9000)];
  const processes = [
    look(900, 7, 8000),
    look(1500, 7, 3000),
    look(1600, 8, 9999),
    look(1700, 7, 4000),
    look(2100, 7, 9000),
  ];
  const use = useOf({ whole, processes }, 7, { from: 1000, to: 2000 });
  assert.deepEqual([use.peak_bytes, use.of], [4000 * 2 ** 20, 'process']);
});

test('where process ids are hidden it is what the GPU gained', () => {
  const whole = [look(900, 0, 9000), look(1100, 0, 500), look(1500, 0, 4500), look(1900, 0, 4000)];
  const processes = [look(1500, 31337, 4000), look(1600, 7, Number.NaN)];
  const use = useOf({ whole, processes }, 7, { from: 1000, to: 2000 });
  assert.deepEqual([use.peak_bytes, use.of], [4000 * 2 ** 20, 'device']);
});

test('idle is what utilization leaves, from a second after the start on', () => {
  const whole = [look(900, 0, 1), look(1500, 0, 1), look(2200, 100, 1), look(2400, 70, 1), look(2600, Number.NaN, 1)];
  const use = useOf({ whole, processes: [] }, 7, { from: 1000, to: 3000 });
  assert.ok(Math.abs(use.idle! - 0.15) < 1e-9, `${use.idle}`);
  assert.equal(use.looks, 4);
  assert.deepEqual(useOf({ whole: [], processes: [] }, 7, { from: 0, to: 1 }), { looks: 0 });
});

test('the GPU is watched until it is told to stop', async () => {
  const smi = await program(
    'watched-smi',
    'case "$1" in *gpu=*) echo "40, 1000";; *) echo "7, 300"; echo "8, [N/A]";; esac',
  );
  const watch = watchGpu('0', smi);
  await watch.stop();
  const use = watch.use(7, 0, Date.now());
  assert.deepEqual([use.peak_bytes, use.of, use.looks], [300 * 2 ** 20, 'process', 1]);
  assert.equal(watch.use(8, 0, Date.now()).of, 'device', 'what nvidia-smi does not tell is not known');
  const silent = watchGpu('0', join(folder, 'absent'));
  await silent.stop();
  assert.deepEqual(silent.use(7, 0, Date.now()), { looks: 0 });
});

const node = (code: string, env = {}) => runProcess(process.execPath, ['-e', code], { env, signal });
const ends = (message: string) =>
  `console.log(JSON.stringify({ error: { message: ${JSON.stringify(message)}, exit_code: 1 } })); process.exitCode = 1`;

test('a process gives its figures, its id and its time', async () => {
  const ended = await node(
    'console.log("noise"); console.log(JSON.stringify({ pid: process.pid, it: process.env.IT }))',
    {
      IT: 'is passed on',
    },
  );
  assert.deepEqual(ended.figures, { pid: ended.pid, it: 'is passed on' });
  assert.equal(ended.why, undefined);
  assert.ok(ended.to >= ended.from);
});

for (const [how, code, why] of [
  [
    'TensorFlow',
    ends('Session fail to run with error: OOM when allocating tensor with shape[4,144,256,256]'),
    'out of memory',
  ],
  ['the kernel', 'process.kill(process.pid, "SIGKILL")', 'out of memory'],
  ['PyTorch', 'console.error("x\\ntorch.OutOfMemoryError: CUDA out of memory."); process.exit(1)', 'out of memory'],
  ['another error', ends('No kernel for it.\nIts stack'), 'No kernel for it.'],
  ['no word', 'console.error("story\\nits end"); process.exit(3)', 'its end'],
  ['no figures', 'console.log("done")', 'it gave no figures'],
] as const) {
  test(`a process that fails is a reason: ${how}`, async () => {
    const ended = await node(code);
    assert.equal(ended.figures, undefined);
    assert.equal(ended.why, why);
  });
}

test('an abort ends the process and the measuring', async () => {
  const stop = new AbortController();
  const running = runProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { signal: stop.signal });
  stop.abort(new Error('told to stop'));
  await assert.rejects(running, /told to stop/);
});

test('losses are compared over five steps, and no number is no agreement', () => {
  const losses = [2, 1, 1, 1, 1];
  assert.ok(Math.abs(lossDifference(losses, [2.002, 1, 1, 0.995, 1, 9])! - 0.005) < 1e-9);
  assert.equal(lossDifference(losses, [2, 1, 1, 1]), undefined);
  assert.equal(lossDifference(losses, [2, 1, Number.NaN, 1, 1]), Number.POSITIVE_INFINITY);
});

test('PyTorch is measured where an interpreter has it for a GPU', async () => {
  const on = (device: 'cpu' | 'gpu') => ({ device, env: {} });
  const answer = (usable: boolean) => `echo '{"torch": "2.9", "cuda": "12.8", "usable": ${usable}}'`;
  const [python, blind] = [await program('python', answer(true)), await program('blind', answer(false))];
  const bare = await program('bare', 'echo "ModuleNotFoundError: No module named torch" >&2; exit 1');
  assert.deepEqual(await findTorch(on('gpu'), python), { python, torch: '2.9', cuda: '12.8' });
  assert.deepEqual(await findTorch(on('gpu'), blind), { missing: `PyTorch 2.9 of ${blind} finds no GPU` });
  assert.match(((await findTorch(on('gpu'), bare)) as { missing: string }).missing, /No module named torch$/);
  assert.match(((await findTorch(on('gpu'), join(folder, 'absent'))) as { missing: string }).missing, /ENOENT/);
});

test('a step is fed batches of the loader, whole ones, as many as asked for after those that warm up', async () => {
  const data = await mkdtemp(join(folder, 'data-'));
  const dataset = await writeLoaderData(data, 5, 32);
  const batches: number[] = [];
  const update = (batch: Batch) => {
    batches.push(batch.count);
    return batch.images.length;
  };
  const options = { batchSize: 2, seconds: 0, steps: 7, signal };
  const fed = await feedStep({ update } as unknown as TrainStep, dataset, options);
  dataset.close();
  assert.deepEqual(batches, new Array(2 + 7).fill(2));
  assert.equal(fed.steps, 7);
  assert.ok(fed.images_per_second > 0 && fed.wait_fraction > 0 && fed.to >= fed.from);
});
