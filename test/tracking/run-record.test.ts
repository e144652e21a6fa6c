import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { JOURNAL_FILE, openJournal } from '../../src/tracking/journal.ts';
import { readRecord } from '../../src/tracking/read-record.ts';

const runsDir = await mkdtemp(join(tmpdir(), 'records-'));
after(() => rm(runsDir, { recursive: true }));

const KEPT = 'journal-record.json';

/** A run of so many epochs, each of 20 updates of loss `epoch`, and its chosen checkpoint where it ended. */
async function writeRun(id: string, epochs: number, { ends = true, from = 1, declared = epochs } = {}) {
  const dir = join(runsDir, id);
  const journal = await openJournal(dir);
  if (from === 1)
    journal.run({
      run_id: id,
      name: `n ä ${id}`,
      experiment: 'e',
      params: { epochs: String(declared) },
      tags: { a: '1' },
    });
  for (let epoch = from; epoch <= epochs; epoch++) {
    for (let update = 1; update <= 20; update++) {
      journal.metrics({ 'train/loss': epoch + (update % 2), lr: 0.5 }, 20 * (epoch - 1) + update);
    }
    journal.metrics({ 'val/dice': epoch / 1000, 'val/dice_positive': Number.NaN }, epoch);
  }
  if (ends) {
    journal.metrics({ 'val/dice_swa': 0.75 }, epochs);
    journal.metrics({ 'val/dice': 0.75 }, epochs + 1);
    journal.tags({ 'checkpoint.id': 'swa' });
    journal.end('FINISHED');
  }
  journal.close();
  return dir;
}

test('a record has each epoch, the means of its updates, and what was chosen at the end', async () => {
  const record = readRecord(await writeRun('whole', 3))!;
  assert.deepEqual(record.epochs, [
    { epoch: 1, values: { 'train/loss': 1.5, lr: 0.5, 'val/dice': 0.001 } },
    { epoch: 2, values: { 'train/loss': 2.5, lr: 0.5, 'val/dice': 0.002 } },
    { epoch: 3, values: { 'train/loss': 3.5, lr: 0.5, 'val/dice': 0.003, 'val/dice_swa': 0.75 } },
  ]);
  assert.deepEqual(record.chosen, { 'val/dice': 0.75 });
  assert.deepEqual(record.tags, { a: '1', 'checkpoint.id': 'swa' });
  assert.equal(record.status, 'FINISHED');
  assert.ok(record.latest >= record.started && record.started > 0);
});

test('of a long journal the record is kept, and equal to one that is read anew at every length', async () => {
  const dir = await writeRun('long', 200, { ends: false, declared: 220 });
  const path = join(dir, JOURNAL_FILE);
  const first = readRecord(dir);
  const kept = await readFile(join(dir, KEPT), 'utf8');
  const anew = async () => {
    await rm(join(dir, KEPT));
    return readRecord(dir);
  };
  assert.deepEqual(readRecord(dir), first);
  assert.deepEqual(await anew(), first);
  // What comes after it, up to a torn line and from its other half on.
  const line = '{"type":"metrics","time":1,"step":4001,"values":{"train/loss":8}}\n';
  await appendFile(path, line + line.slice(0, 30));
  const torn = readRecord(dir);
  assert.equal(await readFile(join(dir, KEPT), 'utf8'), kept, 'little was read anew');
  assert.deepEqual(await anew(), torn);
  await appendFile(path, line.slice(30));
  await writeRun('long', 220, { from: 201 });
  const grown = readRecord(dir);
  assert.equal(grown!.epochs.length, 220);
  assert.deepEqual(await anew(), grown);
});

test('a kept record of another journal, or a damaged one, is not believed', async () => {
  const dir = await writeRun('other', 200);
  readRecord(dir);
  const kept = await readFile(join(dir, KEPT), 'utf8');
  const journal = await readFile(join(dir, JOURNAL_FILE), 'utf8');
  const shorter = `${journal.split('\n').slice(0, 300).join('\n')}\n`;
  const earlier = journal.replace(/"time":\d+/, '"time":5');
  const moved = journal.replace('"step":1,', '"step":10,');
  for (const [what, text] of Object.entries({ shorter, earlier, moved })) {
    await writeFile(join(dir, KEPT), kept);
    await writeFile(join(dir, JOURNAL_FILE), text);
    const found = readRecord(dir);
    await rm(join(dir, KEPT), { force: true });
    assert.deepEqual(found, readRecord(dir), what);
  }
  await writeFile(join(dir, JOURNAL_FILE), journal);
  const whole = readRecord(dir);
  for (const damage of [kept.slice(0, 500), kept.replace('"format":2', '"format":1'), '']) {
    await writeFile(join(dir, KEPT), damage);
    assert.deepEqual(readRecord(dir), whole);
  }
});

test('a damaged line of metrics is counted, one of a run’s beginning is the end', async () => {
  const dir = await writeRun('damaged', 1);
  const path = join(dir, JOURNAL_FILE);
  const journal = await readFile(path, 'utf8');
  await writeFile(path, journal.replace('"lr":0.5', '"lr":0.5:'));
  assert.equal(readRecord(dir)!.damaged, 1);
  await writeFile(path, journal.replace('"tags":{', '"tags":{{'));
  assert.throws(
    () => readRecord(dir),
    (error) => error instanceof UserError && /damaged.*it is damaged: .*Move/.test(error.message),
  );
  await writeFile(path, '{"type":"run"');
  assert.equal(readRecord(dir), undefined);
});
