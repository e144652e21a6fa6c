import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** What came of decoding damaged files. */
export interface FuzzReport {
  decoded: number;
  refused: number;
  /** Processor time of all threads: independent of what else the machine does. */
  slowest: { number: number; seconds: number };
  /** Largest resident memory seen between two files, in bytes. */
  largest: number;
}

const CHILD = fileURLToPath(new URL('./fuzz-child.ts', import.meta.url));
/** A decoder that hangs is ended then; the file's number is in the message. */
const PATIENCE_MS = 540_000;
const MOST_SECONDS = 5;
const MOST_BYTES = 2 ** 31;

/**
 * Decodes `count` damaged files from number `first` on in a process of its own. Asserts that it neither dies nor throws
 * anything but a UserError naming the file, takes at most 5 s of processor time for any, and stays below 2 GiB.
 * @param megabytes files up to this size are damaged.
 */
export async function fuzz(first: number, count: number, megabytes: number): Promise<FuzzReport> {
  const words = ['--import', 'tsx', '--max-old-space-size=1024', CHILD, `${first}`, `${count}`, `${megabytes}`];
  const child = await execa(process.execPath, words, {
    reject: false,
    timeout: PATIENCE_MS,
    env: { NODE_OPTIONS: '' },
  });
  const last = child.stderr.trim().split('\n').slice(-12).join('\n');
  assert.equal(child.exitCode, 0, `${child.timedOut ? 'hung' : 'died'} at the last number here:\n${last}`);
  const report = JSON.parse(child.stdout) as FuzzReport;
  assert.equal(report.decoded + report.refused, count);
  assert.ok(report.slowest.seconds <= MOST_SECONDS, `file ${report.slowest.number} took ${report.slowest.seconds} s`);
  assert.ok(report.largest <= MOST_BYTES, `${(report.largest / 2 ** 20).toFixed(0)} MiB`);
  return report;
}
