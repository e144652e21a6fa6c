import { join } from 'node:path';
import { execa } from 'execa';
import { MASK_SIZE } from '../../../core/competition.ts';
import { formatRle, maskToRuns, parseRle, runsToMask } from '../../../core/rle.ts';

/** Decoding and encoding of some rows. */
export interface RleMeasure {
  rows: number;
  seconds: number;
  /** Codes that did not come back as they were. */
  changed: number;
}

/** What Python takes: with numpy for all rows, and pixel by pixel for some. */
export interface PythonRle {
  numpy: RleMeasure;
  loop: RleMeasure;
  /** Of numpy. */
  version: string;
}

/** The pixel-by-pixel encoder gets so many masks: it takes a large part of a second for one. */
const LOOP_ROWS = 20;

/** Every row to a mask of 1024² pixels and back to its code: what Python does too. */
export function measurePixels(codes: readonly string[]): RleMeasure {
  const memory = new Uint8Array(MASK_SIZE * MASK_SIZE);
  const draw = (code: string) => runsToMask(parseRle(code, 'bench'), MASK_SIZE, memory);
  return measure(codes, (code) => formatRle(maskToRuns(draw(code))));
}

/** Every row to runs and back, without pixels: what the harness does where no pixel is asked for. */
export function measureRuns(codes: readonly string[]): RleMeasure {
  return measure(codes, (code) => formatRle(parseRle(code, 'bench')));
}

/** The same rows in Python, in a process of its own. */
export async function measurePython(python: string, path: string, signal: AbortSignal): Promise<PythonRle> {
  const script = join(import.meta.dirname, 'numpy_rle.py');
  const input = JSON.stringify({ path, loop_rows: LOOP_ROWS });
  const { stdout } = await execa(python, [script], { input, cancelSignal: signal });
  return JSON.parse(stdout) as PythonRle;
}

function measure(codes: readonly string[], roundTrip: (code: string) => string): RleMeasure {
  const started = performance.now();
  const changed = codes.filter((code) => roundTrip(code) !== code).length;
  return { rows: codes.length, seconds: (performance.now() - started) / 1000, changed };
}
