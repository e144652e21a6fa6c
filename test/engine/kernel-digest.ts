import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { readSettings } from '../../src/config/settings.ts';
import { sha256 } from '../../src/core/atomic-file.ts';
import { openTerminal } from '../../src/core/terminal.ts';
import { batchNormTrain } from '../../src/engine/kernels/batch-norm.ts';
import { depthwiseFilterGradient } from '../../src/engine/kernels/depthwise-filter.ts';
import { groupNorm } from '../../src/engine/kernels/group-norm.ts';
import { lovaszHinge } from '../../src/engine/kernels/lovasz-hinge.ts';
import { scaleByGate } from '../../src/engine/kernels/scale-by-gate.ts';
import { loadEngine } from '../../src/engine/load.ts';
import { tf } from '../../src/engine/tf.ts';

/** SHA-256 of what each of our operations gives on one input of several blocks. */
export function digestKernels(): Record<string, string> {
  const x = tf.randomNormal([2, 67, 65, 24], 1, 2, 'float32', 1) as tf.Tensor4D;
  const dy = tf.randomNormal(x.shape, 0, 1, 'float32', 2);
  const gamma = tf.randomUniform([24], 0.5, 2, 'float32', 3) as tf.Tensor1D;
  const norm = (...args: tf.Tensor[]) =>
    batchNormTrain(args[0] as tf.Tensor4D, gamma, args[1] as tf.Tensor1D, 1e-3, { name: 'swish' }, () => {});
  const grouped = (value: tf.Tensor) =>
    groupNorm(value as tf.Tensor4D, gamma, beta as tf.Tensor1D, { groups: 8, epsilon: 1e-3 }, { name: 'swish' });
  const beta = tf.zeros([24]);
  const attributes = {
    strides: 1,
    dilations: 1,
    pad: 'same',
    filterShape: [5, 5, 24, 1] as [number, number, number, number],
  };
  const gate = tf.randomUniform([2, 1, 1, 24], 0, 1, 'float32', 4) as tf.Tensor4D;
  const scale = (value: tf.Tensor) => scaleByGate(x, value as tf.Tensor4D);
  const logits = x.reshape([2, -1]) as tf.Tensor2D;
  const masks = dy.reshape([2, -1]).greater(1).toFloat() as tf.Tensor2D;
  const outputs = {
    hinge: tf.grad((value: tf.Tensor) => lovaszHinge(value as tf.Tensor2D, masks, true))(logits),
    groups: tf.grad(grouped)(x, dy),
    gate: tf.grad(scale)(gate, dy),
    filter: depthwiseFilterGradient(x, dy as tf.Tensor4D, attributes)!,
    y: norm(x, beta),
    gradients: tf.concat(
      tf
        .grads(norm)([x, beta], dy)
        .map((value) => value.flatten()),
    ),
  };
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, sha256(new Uint8Array(value.dataSync().slice().buffer))]),
  );
}

/** The same in a process of its own, which sets TensorFlow up anew. */
export async function runInProcess(env: Record<string, string>): Promise<Record<string, string>> {
  const { stdout } = await execa(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url)], { env });
  return JSON.parse(stdout) as Record<string, string>;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { cacheDir } = await readSettings();
  await loadEngine({ device: 'cpu', deterministic: false, cacheDir }, openTerminal(process.stderr));
  process.stdout.write(JSON.stringify(tf.tidy(digestKernels)));
}
