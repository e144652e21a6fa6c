import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChildDied } from '../../src/core/child.ts';
import { UserError } from '../../src/core/errors.ts';
import {
  checkFits,
  estimateProcessBytes,
  explainDeath,
  explainOutOfMemory,
  OutOfMemoryError,
  remedy,
} from '../../src/train/out-of-memory.ts';

const GIB = 2 ** 30;
const keys = {
  batch_size: 4,
  accumulation_steps: 2,
  validation_batch_size: 4,
  resolution: 512,
  execution: 'graph',
  precision: 'float32',
  model: { recompute: false },
} as Parameters<typeof remedy>[0];
const need = { device: 'cpu' as const, estimated: 12.6 * GIB, memory: { total: 8 * GIB, available: 7.5 * GIB } };

test('the sentence names batch, estimate, what there is and what to change', () => {
  const error = explainOutOfMemory(new Error('OOM when allocating tensor with shape[4]'), keys, need);
  assert.ok(error instanceof OutOfMemoryError);
  assert.equal(
    error.message,
    'Expected memory for a step of batch_size 4 at 512² (about 12.6 GiB estimated, 7.5 GiB available) but TensorFlow ran ' +
      'out of it. Lower batch_size (with accumulation_steps raised to match: batch_size=2 accumulation_steps=4) or set ' +
      'model.recompute=true.',
  );
  assert.match(error.stack!, /OOM when allocating/);
});

test('on a GPU 16 bits help too', () => {
  const error = explainOutOfMemory(new Error('CUDA_ERROR_OUT_OF_MEMORY: out of memory'), keys, {
    ...need,
    device: 'gpu',
  });
  assert.match((error as Error).message, /or set precision=mixed_bfloat16\.$/);
});

test('what is set already is not proposed again', () => {
  const done = { ...keys, batch_size: 1, validation_batch_size: 1, precision: 'mixed_bfloat16' as const };
  assert.equal(remedy({ ...done, model: { ...keys.model, recompute: true } }), 'Lower resolution.');
  assert.equal(remedy(done), 'Set model.recompute=true.');
});

test('an error of another kind stays as it is', () => {
  const error = new Error('Incompatible shapes');
  assert.equal(explainOutOfMemory(error, keys, need), error);
});

test('a step that the machine can never hold is refused before it runs', () => {
  assert.throws(() => checkFits(keys, need), UserError);
  checkFits(keys, { ...need, estimated: 7 * GIB });
  checkFits(keys, { ...need, estimated: undefined });
  checkFits(keys, { ...need, memory: undefined });
});

test('what is not known is not estimated', () => {
  assert.equal(estimateProcessBytes(0, 'cpu'), undefined);
  assert.ok(estimateProcessBytes(GIB, 'cpu')! > estimateProcessBytes(GIB, 'gpu')!);
});

const DEATHS: [how: string, estimated: number | undefined, available: number, isMemory: boolean][] = [
  ['SIGKILL', 1 * GIB, 100 * GIB, true],
  ['SIGKILL', undefined, 100 * GIB, true],
  ['SIGSEGV', 5 * GIB, 7.5 * GIB, true],
  ['SIGSEGV', 4 * GIB, 7.5 * GIB, false],
  ['exit code 134', undefined, 7.5 * GIB, false],
  ['exit code 134', undefined, 1 * GIB, true],
];
for (const [how, estimated, available, isMemory] of DEATHS) {
  const known = `${estimated === undefined ? 'unknown need' : `need of ${estimated / GIB} GiB`} and ${available / GIB} GiB`;
  test(`a process that ended by ${how}, ${known}, ${isMemory ? 'ran' : 'may have run'} out of memory`, () => {
    const short = { device: 'cpu' as const, estimated, memory: { total: available, available } };
    const error = explainDeath(new ChildDied(how), keys, short, 'a-run');
    assert.equal(error instanceof OutOfMemoryError, isMemory);
    assert.match(error.message, new RegExp(`ended by ${how}.*init=\\{from: a-run, checkpoint: last\\}`));
  });
}
