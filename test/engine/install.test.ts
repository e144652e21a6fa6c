import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { downloadError } from '../../src/engine/download.ts';
import { chooseFlavour, hasNvidiaDriver, withEngine } from '../../src/engine/install.ts';
import { checkRoom } from '../../src/engine/library.ts';
import { tf } from '../../src/engine/tf.ts';
import { TENSORFLOW_VERSION, WHEELS } from '../../src/engine/versions.ts';
import { loadForTests } from './load-for-tests.ts';

test('the CUDA build is taken only where there is a driver and the processor was not asked for', () => {
  assert.equal(chooseFlavour('auto', true), 'cuda');
  assert.equal(chooseFlavour('gpu', true), 'cuda');
  assert.equal(chooseFlavour('cpu', true), 'cpu');
  assert.equal(chooseFlavour('auto', false), 'cpu');
  assert.throws(
    () => chooseFlavour('gpu', false),
    (error) => error instanceof UserError && error.message.includes('device=cpu'),
  );
});

test("WSL2's /dev/dxg is a GPU of any maker: NVIDIA's only where the driver's own files are", () => {
  const has = (...paths: string[]) => hasNvidiaDriver((path) => paths.includes(path));
  assert.equal(has(), false);
  assert.equal(has('/dev/dxg'), false);
  assert.equal(has('/dev/dxg', '/usr/lib/wsl/lib/libcuda.so.1'), true);
  assert.equal(has('/dev/dxg', '/usr/lib/wsl/lib/nvidia-smi'), true);
  assert.equal(has('/usr/bin/nvidia-smi'), false);
  assert.equal(has('/dev/nvidiactl'), true);
});

/** What the metadata of TensorFlow 2.21.0's wheel asks for by its extra `and-cuda`. */
const AND_CUDA = `nvidia-cublas-cu12<13.0,>=12.5.3.2 nvidia-cuda-cupti-cu12<13.0,>=12.5.82 nvidia-cuda-nvcc-cu12<13.0,>=12.5.82
  nvidia-cuda-nvrtc-cu12<13.0,>=12.5.82 nvidia-cuda-runtime-cu12<13.0,>=12.5.82 nvidia-cudnn-cu12<10.0,>=9.3.0.75
  nvidia-cufft-cu12<12.0,>=11.2.3.61 nvidia-curand-cu12<11.0,>=10.3.6.82 nvidia-cusolver-cu12<12.0,>=11.6.3.83
  nvidia-cusparse-cu12<13.0,>=12.5.1.3 nvidia-nccl-cu12<3.0,>=2.27.7 nvidia-nvjitlink-cu12<13.0,>=12.5.82`;

/** Whether a version of dotted numbers is the same or newer. */
function reaches(version: string, least: string): boolean {
  return version.localeCompare(least, 'en', { numeric: true }) >= 0;
}

test("every wheel is pinned by SHA-256, and CUDA's are what TensorFlow's asks for", () => {
  const [tensorflow, ...runtime] = WHEELS.cuda;
  for (const { package: name, version, sha256, bytes } of [...WHEELS.cpu, tensorflow, ...runtime]) {
    assert.match(sha256, /^[0-9a-f]{64}$/, name);
    assert.ok(bytes > 1e6, name);
    if (!name.startsWith('nvidia-')) assert.equal(version, TENSORFLOW_VERSION);
  }
  const wanted = AND_CUDA.split(/\s+/).map(
    (text) => /^(.+)<(.+),>=(.+)$/.exec(text)!.slice(1) as [string, string, string],
  );
  assert.deepEqual(
    runtime.map((wheel) => wheel.package),
    wanted.map(([name]) => name),
  );
  runtime.forEach(({ package: name, version }, i) => {
    const [, below, least] = wanted[i]!;
    assert.ok(reaches(version, least) && !reaches(version, below), `${name} ${version}`);
  });
});

test('a disk with too little room is refused before anything is downloaded', async () => {
  await checkRoom(tmpdir(), 'cpu', 2e9);
  await assert.rejects(checkRoom(tmpdir(), 'cuda', 2e9), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /^Expected 7\.0 GB of room .* but there are 2\.0 GB\. .*PNEUMOTHORAX_CACHE/);
    return true;
  });
});

test('what pip says of a failed download is followed by what helps against that', () => {
  const advice = (said: string) => downloadError('tensorflow 2.21.0', said).message;
  assert.match(
    advice('ERROR: [Errno 28] No space left on device'),
    /No space left on device\nFree some, or set PNEUMO/,
  );
  assert.match(advice('ERROR: No matching distribution found'), /Check the network.* wants pip 20\.3/);
  assert.doesNotMatch(advice('Read timed out'), /glibc/);
});

test('a cache folder that cannot be made is the user’s to mend', async () => {
  const cacheDir = fileURLToPath(import.meta.url);
  await assert.rejects(
    withEngine({ device: 'cpu', cacheDir }, silentTerminal, async () => {}),
    (error) => error instanceof UserError && /ENOTDIR.*PNEUMOTHORAX_CACHE/.test(error.message),
  );
});

test('TensorFlow loads and computes on the device that was asked for', async () => {
  const engine = await loadForTests();
  assert.equal(engine.device, 'cpu');
  assert.equal(engine.tensorflow, '2.21.0');
  assert.deepEqual([...tf.tidy(() => tf.matMul([[1, 2]], [[3], [4]]).dataSync())], [1 * 3 + 2 * 4]);
});
