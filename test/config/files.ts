import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';

/** A folder of its own for the tests of one file, removed after them. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a text file, with its folders. */
export function writeText(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** A right experiment whose data are there; its lines are counted by the tests. */
export const EXPERIMENT = `# line 1
name: small
data:
  root: data/siim
  folds: folds/x.csv
  fold: 0
resolution: 64
model: { encoder: efficientnet-b0 }
loss:
  - { name: bce }
  - name: dice
    smooth: 2
optimizer: { name: adam }
lr_schedule: { name: cosine, lr: 1.0e-3 }
batch_size: 4
epochs: 2
augment:
  - { name: hflip, p: 0.5 }
`;

/** A folder with that experiment as `x.yml`, and the data that it names. */
export function makeExperimentFolder(): string {
  const folder = makeFolder();
  writeText(folder, 'x.yml', EXPERIMENT);
  writeText(folder, 'folds/x.csv', 'image_id,fold,patient_id\n');
  mkdirSync(join(folder, 'data/siim'), { recursive: true });
  return folder;
}

/** The message of what a call throws. */
export async function messageOfThrown(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('Nothing was thrown.');
}
