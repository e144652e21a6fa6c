import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { JOURNAL_FILE, openJournal } from '../../src/tracking/journal.ts';
import type { JournalEntry } from '../../src/tracking/journal-entry.ts';
import { crc32c, frameRecord } from '../../src/tracking/record-frame.ts';
import { openEventFile } from '../../src/tracking/tensorboard.ts';

/** Records as TensorBoard's own writer makes them (test/golden/tensorboard-events.py). */
const GOLDEN = JSON.parse(readFileSync(new URL('../golden/tensorboard-events.json', import.meta.url), 'utf8'));
const golden = (...names: string[]) => Buffer.concat(names.map((name) => Buffer.from(GOLDEN[name], 'base64')));

const folder = await mkdtemp(join(tmpdir(), 'tensorboard-'));
after(() => rm(folder, { recursive: true }));
const refuse = (line: string) => assert.fail(line);

async function filesOf(runDir: string): Promise<Buffer[]> {
  const names = (await readdir(join(runDir, 'tensorboard'))).sort();
  for (const name of names) assert.match(name, /^events\.out\.tfevents\.\d{10}\./);
  return await Promise.all(names.map((name) => readFile(join(runDir, 'tensorboard', name))));
}

test('CRC-32C is that of its standard, RFC 3720', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assert.equal(frameRecord(new Uint8Array(0)).length, 16);
});

test('every line becomes the very bytes that TensorBoard’s writer makes of it', async () => {
  const runDir = join(folder, 'bytes');
  mock.timers.enable({ apis: ['Date'], now: 1567332900250 });
  const { take } = openEventFile(runDir, refuse);
  mock.timers.reset();
  await writeFile(join(runDir, 'a.png'), Buffer.from(GOLDEN.png, 'base64'));
  const lines: JournalEntry[] = [
    {
      ...{ type: 'run', time: 1567332900500, run_id: 'r', name: 'r', experiment: 'e', tags: {} },
      params: { epochs: '10', loss: 'a|b' },
    },
    { type: 'metrics', time: 1567332901500, step: 300, values: { 'train/loss': 0.3215, lr: 0.0001 } },
    { type: 'tags', time: 1567332901500, tags: { a: 'b' } },
    { type: 'metrics', time: 1567332902000, step: 1, values: { 'val/dice_positive': 'NaN' } },
    { type: 'image', time: 1567332903000, file: 'a.png', key: 'val/worst', step: 10 },
    { type: 'end', time: 1567332904000, status: 'FINISHED' },
  ];
  for (const line of lines) take(line);
  const [file] = await filesOf(runDir);
  assert.deepEqual(file, golden('version', 'text', 'scalars', 'nan', 'image'));
});

test('it hears what the journal writes, once, and begins with what the journal has already', async () => {
  const runDir = join(folder, 'heard');
  const before = await openJournal(runDir);
  before.metrics({ 'train/loss': 1 }, 1);
  before.close();
  const journal = await openJournal(runDir, openEventFile(runDir, refuse).take);
  journal.metrics({ 'train/loss': 1 }, 1);
  journal.metrics({ 'train/loss': 0.5 }, 2);
  journal.close();
  const [file] = await filesOf(runDir);
  assert.equal(file!.toString('latin1').split('train/loss').length - 1, 2);
});

test('what cannot be written is warned of once, and the journal goes on', async () => {
  const runDir = join(folder, 'refused');
  const warnings: string[] = [];
  const journal = await openJournal(runDir, openEventFile(runDir, (line) => warnings.push(line)).take);
  journal.image('not-there.png', 'val/worst', 1);
  journal.metrics({ 'train/loss': 1 }, 1);
  journal.close();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /not written any more, the run goes on: .*not-there\.png/);
  assert.match(await readFile(join(runDir, JOURNAL_FILE), 'utf8'), /train\/loss/);
  await writeFile(join(folder, 'file'), '');
  openEventFile(join(folder, 'file'), (line) => warnings.push(line));
  assert.match(warnings[1]!, /cannot be written, the run goes on/);
});
