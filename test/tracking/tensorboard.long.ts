import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import sharp from 'sharp';
import { readSettings } from '../../src/config/settings.ts';
import { ensurePythonEnvironment } from '../../src/core/python-environment.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { openJournal } from '../../src/tracking/journal.ts';
import { openEventFile } from '../../src/tracking/tensorboard.ts';

const VERSION = '2.21.0';
const READER = fileURLToPath(new URL('read-events.py', import.meta.url));
const runDir = await mkdtemp(join(tmpdir(), 'tensorboard-'));
after(() => rm(runDir, { recursive: true }));

async function pythonWithTensorBoard(): Promise<string> {
  const { cacheDir } = await readSettings();
  const environment = {
    folder: join(cacheDir, `tensorboard-${VERSION}`),
    ...{ label: 'TensorBoard', title: `TensorBoard ${VERSION}`, effort: 'half a minute, 60 MB' },
    ...{ install: [`tensorboard==${VERSION}`], otherwise: 'leave this test out' },
  };
  return await ensurePythonEnvironment(environment, silentTerminal);
}

test('TensorBoard reads all that a run logged, over two times that it was taken up', async () => {
  const epochs = 20;
  const log = async (from: number, to: number) => {
    const journal = await openJournal(runDir, openEventFile(runDir, (line) => assert.fail(line)).take);
    journal.run({ run_id: 'r', name: 'r', experiment: 'e', params: { epochs: '20', name: 'ä <b>' }, tags: {} });
    for (let epoch = from; epoch <= to; epoch++) {
      for (let update = 1; update <= 50; update++)
        journal.metrics({ 'train/loss': 1 / update, lr: 1e-4 }, 50 * epoch + update);
      journal.metrics({ 'val/dice': epoch / 20, 'val/dice_positive': Number.NaN }, epoch);
    }
    await sharp({ create: { width: 64, height: 32, channels: 3, background: '#888' } })
      .png()
      .toFile(join(runDir, 'a.png'));
    journal.image('a.png', 'val/worst', to);
    journal.close();
  };
  await log(1, 10);
  // The second event file has another name a second later.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await log(8, epochs);
  const { stdout } = await execa(await pythonWithTensorBoard(), [READER, join(runDir, 'tensorboard')]);
  const read = JSON.parse(stdout) as {
    scalars: Record<string, [step: number, value: string, time: number][]>;
    images: Record<string, [step: number, width: number, height: number, bytes: number][]>;
    texts: Record<string, string[]>;
  };
  assert.deepEqual(Object.keys(read.scalars).sort(), ['lr', 'train/loss', 'val/dice', 'val/dice_positive']);
  assert.deepEqual(
    read.scalars['val/dice']!.map(([step, value]) => [step, Number(value)]),
    Array.from({ length: epochs }, (_, epoch) => [epoch + 1, Math.fround((epoch + 1) / 20)]),
  );
  assert.equal(read.scalars['train/loss']!.length, 50 * epochs);
  assert.ok(read.scalars['val/dice_positive']!.every(([, value]) => value === 'nan'));
  assert.deepEqual(
    read.images['val/worst']!.map(([step, width, height]) => [step, width, height]),
    [
      [10, 64, 32],
      [20, 64, 32],
    ],
  );
  assert.match(read.texts.config![0]!, /\| name \| ä <b> \|/);
});
