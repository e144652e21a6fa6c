import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IngestRow, ingestReport, ratiosOfIngest } from '../../../src/commands/bench/ingest/report.ts';
import { benchIngest } from '../../../src/commands/bench/ingest.ts';
import { measurePixels, measureRuns } from '../../../src/commands/bench/rle/measure.ts';
import { median, ratioOfRle, rleReport } from '../../../src/commands/bench/rle/report.ts';
import { benchRle } from '../../../src/commands/bench/rle.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';

const MACHINE = { processor: 'a processor', cores: 2, memory_gb: 24, system: 'a system' };

function row(kind: IngestRow['kind'], ours: boolean, perSecond: number): IngestRow {
  const versions: Record<string, string> = ours ? {} : { pydicom: '3' };
  return { title: ours ? 'ours' : 'theirs', kind, ours, per_second: perSecond, bytes_per_file: 1e5, versions };
}

test('ingest is compared with each way of the peer, and the goal is 4 times', () => {
  const rows = [
    row('png', true, 64),
    row('png', false, 16),
    row('cache', true, 180),
    { ...row('cache', false, 50), difference: 0.416 },
    { ...row('cache', false, 90), title: 'theirs, mean' },
    row('decode', false, 130),
    row('ingest', true, 70),
  ];
  assert.deepEqual(ratiosOfIngest(rows), [
    { kind: 'png', against: 'theirs', ratio: 4, reached: true },
    { kind: 'cache', against: 'theirs', ratio: 3.6, reached: false },
    { kind: 'cache', against: 'theirs, mean', ratio: 2, reached: false },
  ]);
  const head = { command: 'npm run bench ingest', date: '2019-09-01', machine: MACHINE, files: 198, rounds: 3 };
  const report = ingestReport(head, rows);
  assert.match(report, /\| 1024² PNG \| theirs \| 4\.00 \| at least 4 \| yes \|/);
  assert.match(report, /\| 512² cache \| theirs \| 3\.60 \| at least 4 \| no \|/);
  assert.match(report, /\| 512² cache \| theirs \| 50\.0 \| 100 \| 0\.42 \|/);
  assert.match(report, /would be 200 files a second; libjpeg alone.* makes 130\./);
  assert.match(report, /pydicom 3/);
});

test('codes that do not come back are counted', () => {
  // A gap of 0 between two runs joins them: 0 3 0 2 comes back as 0 5.
  const codes = ['-1', '5 10', '0 3 0 2'];
  for (const measured of [measurePixels(codes), measureRuns(codes)]) {
    assert.deepEqual([measured.rows, measured.changed], [3, 1]);
  }
});

test('run-length codes are compared by way of pixels, and the goal is 10 times', () => {
  const measure = (seconds: number) => ({ rows: 100, seconds, changed: 0 });
  const round = (pixels: number, numpy: number) => ({
    pixels: measure(pixels),
    runs: measure(0.1),
    numpy: measure(numpy),
    loop: measure(9),
    version: '2',
  });
  const figures = median([round(1, 30), round(2, 24), round(9, 1)]);
  assert.equal(ratioOfRle(figures), 12);
  const head = { command: 'npm run bench rle', date: '2019-09-01', machine: MACHINE, masks: 30, rounds: 3 };
  assert.match(rleReport(head, figures), /\*\*12\.0 times\*\* .*goal: at least 10, reached/);
});

test('wrong values are refused by key', async () => {
  const args = { words: [], cwd: '.', signal: new AbortController().signal };
  await assert.rejects(benchIngest({ ...args, values: { images: '0' } }, silentTerminal), /whole number.*images/);
  await assert.rejects(benchRle({ ...args, values: { rounds: 'x' } }, silentTerminal), /whole number.*rounds/);
});
