import assert from 'node:assert/strict';
import fs from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { openJournal, readJournal } from '../../src/tracking/journal.ts';
import { readLines } from '../../src/tracking/journal-file.ts';

const folder = await mkdtemp(join(tmpdir(), 'journal-'));
after(() => rm(folder, { recursive: true }));

let count = 0;
const nextRun = () => join(folder, `run-${count++}`);

const description = { run_id: 'r', name: 'n', experiment: 'e', params: { lr: '0.1' }, tags: { fold: '0' } };

test('everything is a line of its own, in the order in which it happened', async () => {
  const runDir = nextRun();
  const before = Date.now();
  const journal = await openJournal(runDir);
  journal.run(description);
  journal.metrics({ 'train/loss': 0.5, lr: Number.NaN }, 3);
  journal.tags({ digest: 'abc' });
  journal.artifact('config.yml', 'config.yml');
  journal.image('overlays/1.png', 'val/overlay', 1);
  journal.end('FINISHED');
  journal.close();
  const entries = readJournal(join(runDir, 'journal.jsonl'));
  for (const { time } of entries) assert.ok(time >= before && time <= Date.now());
  assert.deepEqual(
    entries.map(({ time, ...entry }) => entry),
    [
      { type: 'run', ...description },
      { type: 'metrics', step: 3, values: { 'train/loss': 0.5, lr: 'NaN' } },
      { type: 'tags', tags: { digest: 'abc' } },
      { type: 'artifact', file: 'config.yml', artifact_path: 'config.yml' },
      { type: 'image', file: 'overlays/1.png', key: 'val/overlay', step: 1 },
      { type: 'end', status: 'FINISHED' },
    ],
  );
});

test('a line is in the file when the call returns', async () => {
  const runDir = nextRun();
  const journal = await openJournal(runDir);
  journal.run(description);
  for (let step = 1; step <= 5; step++) {
    journal.metrics({ a: step }, step);
    assert.equal(readJournal(join(runDir, 'journal.jsonl')).length, 1 + step);
  }
  journal.close();
  journal.close();
  assert.throws(() => journal.end('FINISHED'), /journal\.jsonl was closed/);
});

test('every number comes back as it was', async () => {
  const runDir = nextRun();
  const journal = await openJournal(runDir);
  const values: number[] = [];
  fc.assert(
    fc.property(fc.double(), (value) => {
      journal.metrics({ a: value }, values.length);
      values.push(value);
    }),
  );
  journal.close();
  const read = readJournal(join(runDir, 'journal.jsonl')).map((entry) =>
    entry.type === 'metrics' ? Number(entry.values.a) : undefined,
  );
  // JSON writes -0 as 0.
  assert.deepEqual(
    read,
    values.map((value) => value + 0),
  );
});

test('a torn last line is passed over by readers, and cut off before the journal goes on', async () => {
  const runDir = nextRun();
  const path = join(runDir, 'journal.jsonl');
  const first = await openJournal(runDir);
  first.run(description);
  first.close();
  const whole = await readFile(path, 'utf8');
  await appendFile(path, '{"type":"metrics","time":1,"st');
  assert.equal(readJournal(path).length, 1);
  const second = await openJournal(runDir);
  assert.equal(await readFile(path, 'utf8'), whole);
  second.end('KILLED');
  second.close();
  assert.deepEqual(
    readJournal(path).map(({ type }) => type),
    ['run', 'end'],
  );
});

test('a torn line longer than any block, and nothing but a torn line, are cut off too', async () => {
  for (const [text, left] of [
    [`{}\n${'x'.repeat(200_000)}`, '{}\n'],
    ['x'.repeat(100), ''],
  ] as const) {
    const runDir = nextRun();
    (await openJournal(runDir)).close();
    await writeFile(join(runDir, 'journal.jsonl'), text);
    (await openJournal(runDir)).close();
    assert.equal(await readFile(join(runDir, 'journal.jsonl'), 'utf8'), left);
  }
});

test('a whole line that is no entry is an error that names the place', async () => {
  const path = join(folder, 'broken.jsonl');
  await writeFile(path, '{"type":"end"}\nnonsense\n');
  assert.throws(() => readJournal(path), /broken\.jsonl at byte 15/);
});

test('a journal is read on from any line, in pieces of about the size asked for', async () => {
  const path = join(folder, 'pieces.jsonl');
  const texts = Array.from({ length: 50 }, (_, i) => JSON.stringify({ type: 'tags', tags: { ü: 'x'.repeat(i * 7) } }));
  await writeFile(path, `${texts.join('\n')}\n`);
  for (const most of [1, 100, 1000, Number.POSITIVE_INFINITY]) {
    const read: string[] = [];
    for (let offset = 0, lines = readLines(path, 0, most); lines.length > 0; lines = readLines(path, offset, most)) {
      read.push(...lines.map((line) => JSON.stringify(line.entry)));
      offset = lines.at(-1)!.end;
    }
    assert.deepEqual(read, texts);
  }
});

test('a folder that cannot be written is an error', async () => {
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(openJournal(join(folder, 'file', 'run')), /ENOTDIR/);
});

test('a journal that is taken up keeps what it has: points, pictures, files and tags are not written again', async () => {
  const runDir = nextRun();
  const write = async (update: number) => {
    const journal = await openJournal(runDir);
    journal.metrics({ 'train/loss': 1 / update, lr: 0.1 }, update);
    journal.metrics({ 'train/loss': 2, 'train/gradient_norm': 3 }, 2);
    journal.tags({ a: 'x', b: String(update) });
    journal.artifact('config.yml', 'config.yml');
    journal.image('o.png', 'val/best', 1);
    journal.flush();
    journal.close();
    journal.flush();
  };
  await write(1);
  const before = readJournal(join(runDir, 'journal.jsonl'));
  await write(1);
  assert.deepEqual(readJournal(join(runDir, 'journal.jsonl')), before);
  await write(2);
  const added = readJournal(join(runDir, 'journal.jsonl')).slice(before.length);
  // Of update 2 the loss is known, the rate is not; of the tags one is another.
  assert.deepEqual(
    added.map((entry) => (entry.type === 'metrics' ? entry.values : entry.type === 'tags' ? entry.tags : entry)),
    [{ lr: 0.1 }, { b: '2' }],
  );
});

/** Does something while a function of node:fs is another. */
function whileReplaced<K extends 'writeSync' | 'fsyncSync'>(name: K, other: (typeof fs)[K], work: () => void): void {
  const original = fs[name];
  fs[name] = other;
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    fs[name] = original;
    syncBuiltinESMExports();
  }
}

const noSpace = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' });

test('of a line that the disk has no room for nothing stays, so the next one is whole', async () => {
  const runDir = nextRun();
  const journal = await openJournal(runDir);
  journal.run(description);
  const { writeSync } = fs;
  const half = ((file: number, bytes: Buffer, offset: number) => {
    if (offset > 0) throw noSpace();
    return writeSync(file, bytes.subarray(0, 10));
  }) as typeof writeSync;
  whileReplaced('writeSync', half, () => assert.throws(() => journal.metrics({ lr: 1 }, 1), /ENOSPC/));
  journal.end('FAILED');
  journal.close();
  assert.deepEqual(
    readJournal(join(runDir, 'journal.jsonl')).map(({ type }) => type),
    ['run', 'end'],
  );
});

test('what the disk says after a line is thrown at the next one', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const journal = await openJournal(nextRun());
  journal.run(description);
  journal.metrics({ lr: 1 }, 1);
  const refuse = () => {
    throw noSpace();
  };
  whileReplaced('fsyncSync', refuse, () => t.mock.timers.tick(5000));
  assert.throws(() => journal.metrics({ lr: 1 }, 2), /ENOSPC/);
  // The run's last word may find room again.
  journal.end('FAILED');
  journal.close();
});
