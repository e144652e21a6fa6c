import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitTensorFlow, readHostMemory, readPeakBytes } from '../../src/engine/memory.ts';

const MEMINFO = 'MemTotal:       16000 kB\nMemFree:        1000 kB\nMemAvailable:   12000 kB\n';

function files(contents: Record<string, string>) {
  return (path: string) => contents[path];
}

test('without control groups the machine decides', () => {
  const memory = readHostMemory(files({ '/proc/meminfo': MEMINFO }));
  assert.deepEqual(memory, { total: 16000 * 1024, available: 12000 * 1024 });
});

test('the tightest control group above the process decides; files that can be dropped are not in use', () => {
  const memory = readHostMemory(
    files({
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '0::/jobs/one',
      '/sys/fs/cgroup/jobs/one/memory.max': 'max',
      '/sys/fs/cgroup/jobs/one/memory.current': '1000000',
      '/sys/fs/cgroup/jobs/memory.max': '8000000',
      '/sys/fs/cgroup/jobs/memory.current': '3000000',
      '/sys/fs/cgroup/jobs/memory.stat': 'anon 5\ninactive_file 1000000\n',
    }),
  );
  assert.deepEqual(memory, { total: 8_000_000, available: 8_000_000 - 3_000_000 + 1_000_000 });
});

test("version 1's groups are read by their own names", () => {
  const memory = readHostMemory(
    files({
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '4:memory:/box\n3:cpu:/other',
      '/sys/fs/cgroup/memory/box/memory.limit_in_bytes': '4000000',
      '/sys/fs/cgroup/memory/box/memory.usage_in_bytes': '3500000',
    }),
  );
  assert.deepEqual(memory, { total: 4_000_000, available: 500_000 });
});

test("TensorFlow's pool gets what is left beside the process; what the user set stays", () => {
  const environment: NodeJS.ProcessEnv = {};
  limitTensorFlow({ total: 0, available: 10 * 2 ** 30 }, environment);
  assert.equal(Number(environment.TF_MKL_ALLOC_MAX_BYTES), (10 - 1.25) * 2 ** 30);
  limitTensorFlow({ total: 0, available: 2 ** 30 }, environment);
  assert.equal(Number(environment.TF_MKL_ALLOC_MAX_BYTES), (10 - 1.25) * 2 ** 30);
});

test('what the user leaves to the pool is what the process has', () => {
  const environment = { TF_MKL_ALLOC_MAX_BYTES: String(2 ** 30) };
  const memory = limitTensorFlow({ total: 16 * 2 ** 30, available: 10 * 2 ** 30 }, environment);
  assert.deepEqual(memory, { total: 16 * 2 ** 30, available: 2.25 * 2 ** 30 });
  assert.equal(limitTensorFlow({ total: 3, available: 3 }, { TF_MKL_ALLOC_MAX_BYTES: 'x' }).available, 3);
});

test('the peak is read from the process, and 0 where the kernel does not tell', () => {
  assert.equal(readPeakBytes(files({ '/proc/self/status': 'Name: node\nVmHWM:\t    2048 kB\n' })), 2048 * 1024);
  assert.equal(readPeakBytes(files({})), 0);
});
