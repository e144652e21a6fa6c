import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepFigures, StepRow } from '../../../../src/commands/bench/gpu/figures.ts';
import type { Measured } from '../../../../src/commands/bench/gpu/measure.ts';
import { readPlan } from '../../../../src/commands/bench/gpu/plan.ts';
import { reachedOf } from '../../../../src/commands/bench/gpu/reached.ts';
import { reportOf } from '../../../../src/commands/bench/gpu/report.ts';
import { whyOther } from '../../../../src/commands/bench/gpu/torch.ts';

const plan = readPlan({ resolution: '512,1024', steps: '20' });
const [small, large] = plan.sizes as [(typeof plan.sizes)[0], (typeof plan.sizes)[0]];
const HEAD = {
  ...{ command: 'npm run bench gpu', date: '2019-08-01', plan },
  machine: { processor: 'a processor', cores: 16, memory_gb: 128, system: 'a system' },
  gpu: { id: '0', name: 'a GPU', driver: '555.42', memory_bytes: 80e9 },
};

function figures(median_ms: number, more: Partial<StepFigures> = {}): StepFigures {
  return {
    median_ms,
    min_ms: median_ms - 1,
    peak_rss_bytes: 3e9,
    parameters: 10,
    first_loss: 2,
    device: 'gpu',
    ...more,
  };
}
function row(more: Partial<StepRow>): StepRow {
  const gpu = { peak_bytes: 5e9, of: 'process', looks: 9 } as const;
  return { by: 'harness', size: small, precision: 'float32', recompute: false, gpu, ...more };
}

const MEASURED: Measured = {
  losses: {
    ...{ size: small, cpu: [2, 1.5, 1.2, 1, 0.9], gpu: [2, 1.5001, 1.2, 1, 0.9] },
    ...{ difference: 6.7e-5, equal: true, difference_as_trained: 0.0021 },
  },
  steps: [
    row({ figures: figures(50) }),
    row({ precision: 'mixed_float16', figures: figures(25) }),
    row({ size: large, why: 'out of memory' }),
    row({ size: large, recompute: true, figures: figures(80), gpu: { peak_bytes: 4e9, of: 'process', looks: 9 } }),
    row({ by: 'pytorch', figures: figures(60) }),
    row({ by: 'pytorch-channels-last', figures: figures(40), why: 'it has 3 trainable parameters where ours has 10' }),
    row({ by: 'pytorch', size: large, figures: figures(60) }),
  ],
  feeds: [
    {
      ...{ size: small, precision: 'mixed_float16', gpu: { idle: 0.034, looks: 95 } },
      figures: { images_per_second: 150, wait_fraction: 0.002, steps: 700, device: 'gpu', native_kernels: false },
    },
    { size: large, precision: 'float32', gpu: { looks: 0 }, why: 'out of memory' },
  ],
  torch: { python: 'python3', torch: '2.9', cuda: '12.8' },
  ...{ tensorflow: '2.21.0', native_kernels: { processor: true, device: false } },
};

test('the report has what was reached, every figure, and what it was measured on', () => {
  const report = reportOf(HEAD, MEASURED);
  for (const line of [
    /^# efficientnet-b4 U-Net on a GPU: a GPU$/m,
    /^\| TensorFlow says that it computes on the GPU \| gpu \| yes \|$/m,
    /^\| `nvidia-smi` sees memory of each process \| at least 4\.00 GB held by the process \| yes \|$/m,
    /^\| losses .* to 0\.001 \| 6\.7e-5 \| yes \|$/m,
    /^\| GPU \| 2\.000000 \| 1\.500100 \|/m,
    /largest difference is 2\.1e-3/,
    /^\| this harness \| 512² × 4 \| mixed_float16 \| 25\.0 \| 24\.0 \| 160\.0 \| 5\.00 \| 3\.00 \| 2\.00000 \|$/m,
    /^\| this harness \| 1024² × 1 \| float32 \| out of memory \| – \| – \| – \| – \| – \|$/m,
    /^\| this harness, recomputed \| 1024² × 1 \| float32 \| 80\.0 \|/m,
    /^\| PyTorch, channels last \| .* \| it has 3 trainable parameters where ours has 10 \|/m,
    /^- 512² × 4, float32: 0\.83 of the time of PyTorch$/m,
    /^\| 512² × 4 \| mixed_float16 \| 150\.0 \| 3\.4 % \| 0\.2 % \| 95 \|$/m,
    /^\| 1024² × 1 \| float32 \| out of memory \| – \| – \| – \|$/m,
    /^- 2019-08-01: a GPU, 80\.00 GB, driver 555\.42$/m,
    /TensorFlow 2\.21\.0, torch 2\.9 \(CUDA 12\.8\)$/m,
    /own operations, .*: used there, not used on the GPU$/m,
  ]) {
    assert.match(report, line);
  }
  assert.doesNotMatch(report, /undefined|NaN/);
  assert.equal(report.match(/of the time of/g)!.length, 1, 'rows that do not count are in no ratio');
});

test('a processor that stepped in, memory that is not seen and losses that differ are not reached', () => {
  const steps = [row({ figures: figures(50, { device: 'cpu' }), gpu: { peak_bytes: 0, of: 'device', looks: 9 } })];
  const losses = { ...MEASURED.losses, difference: 0.02, equal: false };
  assert.deepEqual(
    reachedOf({ ...MEASURED, steps, losses }).map(({ measured, met }) => [measured, met]),
    [
      ['cpu', false],
      ['at least 0.00 GB gained by the GPU (process ids are hidden here)', false],
      ['2.0e-2', false],
    ],
  );
});

test('what was not measured is not known', () => {
  const { difference: _, ...losses } = { ...MEASURED.losses, cpu: [], gpu: [], equal: false, why: 'out of memory' };
  const nothing: Measured = {
    ...{ ...MEASURED, losses, steps: [row({ why: 'out of memory' })], feeds: [] },
    ...{ torch: { missing: 'there is no torch' }, native_kernels: { processor: true } },
  };
  assert.deepEqual(
    reachedOf(nothing).map(({ measured, met }) => [measured, met]),
    [
      ['nothing ran', undefined],
      ['it does not tell', undefined],
      ['out of memory', undefined],
    ],
  );
  const report = reportOf(HEAD, nothing);
  assert.match(report, /^They were not compared: out of memory\.$/m);
  assert.match(report, /^PyTorch was not measured: there is no torch\. PYTHON may name another/m);
  assert.match(report, /not known on the GPU$/m);
  assert.doesNotMatch(report, /undefined|NaN/);
});

test('PyTorch counts with as many parameters and, in float32, the same first loss; 16 bits go by their float32 row', () => {
  const ours = [row({ figures: figures(50) }), row({ precision: 'mixed_float16', figures: figures(25) })];
  const theirs = (more: Partial<StepFigures>) => row({ by: 'pytorch', figures: figures(60, more) });
  assert.equal(whyOther(ours, theirs({ first_loss: 2.001 })), undefined);
  assert.match(whyOther(ours, theirs({ first_loss: 2.01 }))!, /^its first loss from the shared weights is 2\.01/);
  assert.match(whyOther(ours, theirs({ parameters: 11 }))!, /^it has 11 trainable parameters/);
  const low = row({ by: 'pytorch', precision: 'mixed_float16', figures: figures(30, { first_loss: 2.02 }) });
  assert.equal(whyOther([...ours, theirs({})], low), undefined, 'rounding');
  assert.equal(whyOther([...ours, { ...theirs({}), why: 'it is another network' }], low), 'it is another network');
  assert.equal(whyOther([...ours, row({ by: 'pytorch', why: 'out of memory' })], low), undefined, 'not known');
});
