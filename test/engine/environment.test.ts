import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { setEnvironment } from '../../src/engine/environment.ts';
import { readGpuMemory } from '../../src/engine/memory.ts';

function set(options: Partial<Parameters<typeof setEnvironment>[0]>, given: NodeJS.ProcessEnv = {}) {
  const environment = { ...given };
  setEnvironment({ flavour: 'cuda', deterministic: false, ...options }, environment);
  return environment;
}

test('GPUs are counted as nvidia-smi counts them, and TensorFlow is shown the first alone', () => {
  const show = (visible?: string) => set({}, visible === undefined ? {} : { CUDA_VISIBLE_DEVICES: visible });
  assert.equal(show().CUDA_DEVICE_ORDER, 'PCI_BUS_ID');
  for (const [visible, first] of [
    [undefined, '0'],
    ['1', '1'],
    [' 2, 0,1', '2'],
    ['GPU-11-22,GPU-33-44', 'GPU-11-22'],
    ['-1', '-1'],
    ['', ''],
  ] as const) {
    assert.equal(show(visible).CUDA_VISIBLE_DEVICES, first);
  }
});

test('what the user has set stays', () => {
  const given = { CUDA_DEVICE_ORDER: 'FASTEST_FIRST', TF_CPP_MIN_LOG_LEVEL: '0', TF_FORCE_GPU_ALLOW_GROWTH: 'false' };
  const environment = set({ deterministic: true }, given);
  for (const [name, value] of Object.entries(given)) assert.equal(environment[name], value);
  assert.equal(environment.TF_NUM_INTRAOP_THREADS, '1');
  assert.throws(
    () => set({ deterministic: true }, { TF_NUM_INTRAOP_THREADS: '2' }),
    (error) => error instanceof UserError && /but received "2"/.test(error.message),
  );
});

test('the build for the processor says nothing of GPUs, which a process that this one starts may use', () => {
  const names = Object.keys(set({ flavour: 'cpu' }));
  assert.deepEqual(
    names.filter((name) => name.includes('CUDA') || name.includes('GPU')),
    [],
  );
});

/** Two GPUs of 1,000 and 2,000 MiB by PCI bus; `--id` picks one, by number or UUID. */
const TWO_GPUS = `#!/bin/sh
for word; do case "$word" in --id=*) id="\${word#--id=}";; esac; done
[ "\${id-0}" = 0 ] && echo "1000, 900"
[ "\${id-1}" = 1 ] || [ "\${id-}" = GPU-1 ] && echo "2000, 1800"
[ -n "\${id-none}" ]
`;

let folder: string;
const path = process.env.PATH;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nvidia-'));
  process.env.PATH = `${folder}:${path}`;
});
after(async () => {
  process.env.PATH = path;
  await rm(folder, { recursive: true });
});

async function putNvidiaSmi(script: string): Promise<void> {
  await writeFile(join(folder, 'nvidia-smi'), script);
  await chmod(join(folder, 'nvidia-smi'), 0o755);
}

test('memory is that of the GPU which TensorFlow is shown', async () => {
  await putNvidiaSmi(TWO_GPUS);
  const total = async (given: NodeJS.ProcessEnv) => {
    const memory = await readGpuMemory(set({}, given));
    return memory && memory.total / 2 ** 20;
  };
  assert.equal(await total({}), 1000);
  assert.equal(await total({ CUDA_VISIBLE_DEVICES: '1,0' }), 2000);
  assert.equal(await total({ CUDA_VISIBLE_DEVICES: 'GPU-1' }), 2000);
  assert.equal(await total({ CUDA_VISIBLE_DEVICES: '' }), undefined);
  assert.equal(await total({ CUDA_VISIBLE_DEVICES: '7' }), undefined);
});

test('where CUDA counts by speed, a number says nothing to nvidia-smi unless there is one GPU', async () => {
  const bySpeed = { CUDA_DEVICE_ORDER: 'FASTEST_FIRST', CUDA_VISIBLE_DEVICES: '0' };
  await putNvidiaSmi(TWO_GPUS);
  assert.equal(await readGpuMemory(bySpeed), undefined);
  assert.equal((await readGpuMemory({ ...bySpeed, CUDA_VISIBLE_DEVICES: 'GPU-1' }))?.total, 2000 * 2 ** 20);
  await putNvidiaSmi('#!/bin/sh\necho "500, 400"\n');
  assert.deepEqual(await readGpuMemory(bySpeed), { total: 500 * 2 ** 20, available: 400 * 2 ** 20 });
});
