import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createProgram } from '../../src/engine/graph/program.ts';
import { tf } from '../../src/engine/tf.ts';

/** A function to record, of the input x [2]. */
export type Recorded = (x: tf.Tensor1D) => tf.Tensor;
/** What is called, as it stands in the test's file; what the error must say; the function that calls it. */
export type Case = [call: string, said: RegExp, fn: Recorded];

/** Records a function under the name f. */
export function define(fn: Recorded, variables: { name: string; variable: tf.Variable }[] = []): void {
  const program = createProgram(variables);
  program.define('f', { x: { shape: [2], dtype: 'float32' } }, ({ x }) => ({ y: fn(x as tf.Tensor1D) }));
}

/** What tfjs keeps account of: all of it must be after a refusal as it was before. */
export function takeStock() {
  const { state, backend } = tf.engine() as unknown as {
    state: Record<'gradientDepth' | 'kernelDepth' | 'activeTape', unknown> & { scopeStack: unknown[] };
    backend: { binding: object };
  };
  const { numTensors, numDataBuffers } = tf.memory();
  const { gradientDepth, kernelDepth, activeTape, scopeStack } = state;
  const { binding } = backend;
  return { numTensors, numDataBuffers, gradientDepth, kernelDepth, activeTape, scopes: scopeStack.length, binding };
}

/** That values are read, gradients taken and random numbers drawn again. */
export function assertWorksAsBefore(): void {
  tf.tidy(() => {
    const gradient = tf.grad((x) => x.square().sum())(tf.tensor1d([1, 3]));
    assert.deepEqual([...gradient.dataSync()], [2, 6]);
    const [drawn] = tf.randomUniform([1], 5, 6).dataSync();
    assert.ok(drawn! >= 5 && drawn! < 6 && Math.random() < 1);
  });
}

/** That an error names the line of the test's file (its `import.meta.url`) that holds the call. */
export function assertNamesLine(url: string, error: unknown, call: string): true {
  const { message } = error as Error;
  const lines = readFileSync(fileURLToPath(url), 'utf8').split('\n');
  const [, line] = /\((?:[\w-]+\.test\.ts):(\d+)\)/.exec(message) ?? assert.fail(`no line is named: ${message}`);
  const text = lines[Number(line) - 1]!;
  assert.ok(text.includes(call), `${message}\nthe line is: ${text}`);
  return true;
}

/**
 * A test for each function that cannot be recorded: the error says why, and tfjs is afterwards as it was; and another that
 * it names the line of the call.
 */
export function checkRefused(url: string, cases: Case[]): void {
  for (const [call, said, fn] of cases) {
    test(`recording refuses ${call}…), and tfjs works as before`, () => {
      const stock = takeStock();
      assert.throws(() => define(fn), said);
      assert.deepEqual(takeStock(), stock);
      assertWorksAsBefore();
    });
    test(`the refusal of ${call}…) names its line`, () => {
      assert.throws(
        () => define(fn),
        (error) => assertNamesLine(url, error, call),
      );
    });
  }
}
