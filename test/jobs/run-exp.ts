import { spawn } from 'node:child_process';

/** A network that learns nothing in a second, on a phantom of 24 images. */
export const SMALL_EXPERIMENT = `
name: small
data: { root: data/phantom, folds: folds/k2.csv, fold: 0, phantom: { images: 24, seed: 3 } }
resolution: 32
model: { encoder: efficientnet-b0, norm_momentum: 0.9 }
loss: bce + dice
optimizer: { name: adam }
lr_schedule: { name: cosine, lr: 1.0e-3 }
batch_size: 4
epochs: 1
`;

/** How `npm run exp` ended; `json` is what `json=true` prints. */
export interface ExpEnded {
  code: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: the tests read what they look for.
  json: any;
  stderr: string;
}

/**
 * Runs `npm run exp` in a folder, with these words, in a process group of its own, logging to an MLflow server.
 * @param hear gets all that it has said so far, and its process id, whenever it says more
 */
export function runExp(
  folder: string,
  trackingUri: string,
  words: readonly string[],
  hear: (said: string, pid: number) => void = () => {},
): Promise<ExpEnded> {
  const cli = new URL('../../src/cli.ts', import.meta.url).pathname;
  const env = { INIT_CWD: folder, MLFLOW_TRACKING_URI: trackingUri, PNEUMOTHORAX_LOADER_WORKERS: '1' };
  const child = spawn(process.execPath, ['--import', 'tsx', cli, 'exp', ...words, 'json=true'], {
    env: { ...process.env, ...env },
    detached: true,
  });
  let [out, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    hear(stderr, child.pid!);
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, json: out === '' ? undefined : JSON.parse(out), stderr }));
  });
}
