import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { mapInWorkers } from '../../src/core/worker-pool.ts';

const ENTRY = new URL('./square-worker.ts', import.meta.url);

test('results come in the order of the tasks, whoever was faster', async () => {
  const tasks = Array.from({ length: 20 }, (_, n) => n);
  const seen: number[] = [];
  const results = await mapInWorkers<number, number>(ENTRY, { plus: 1 }, tasks, {
    workers: 2,
    onResult: (result) => seen.push(result),
  });
  const wanted = tasks.map((n) => n * n + 1);
  assert.deepEqual(results, wanted);
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    wanted,
  );
});

test('no task, no thread, no result', async () => {
  assert.deepEqual(await mapInWorkers(ENTRY, { plus: 1 }, []), []);
});

test('the first failure is thrown, and a UserError stays one', async () => {
  await assert.rejects(mapInWorkers(ENTRY, { plus: 1 }, [1, -1, 2]), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.message, 'below zero');
    return true;
  });
  await assert.rejects(mapInWorkers(ENTRY, { plus: 1 }, [Number.NaN]), (error: Error) => {
    assert.ok(!(error instanceof UserError));
    assert.match(String(error.cause), /square-worker/, 'the stack of the thread');
    return true;
  });
});

test('a thread that ends on its own and an abort are errors', async () => {
  await assert.rejects(mapInWorkers(ENTRY, { plus: 1 }, [999]), /ended early, code 7/);
  await assert.rejects(mapInWorkers(ENTRY, {}, [1], { signal: AbortSignal.abort(new Error('stop')) }), /stop/);
  const stop = new AbortController();
  const running = mapInWorkers(ENTRY, { plus: 1 }, [1, 2], { signal: stop.signal });
  stop.abort(new Error('stop now'));
  await assert.rejects(running, /stop now/);
});

test('a task that never ends loses its thread, twice, and keeps no other from its result', async () => {
  const tasks = [1, 2, 555, 3, 4, 5, 6, 7, 8, 9, 10];
  const late = { seconds: 1.5, result: (task: number) => -task };
  const seen: number[] = [];
  const results = await mapInWorkers<number, number>(ENTRY, { plus: 1 }, tasks, {
    workers: 2,
    inFlight: 2,
    late,
    onResult: (result) => seen.push(result),
  });
  const wanted = tasks.map((n) => (n === 555 ? -555 : n * n + 1));
  assert.deepEqual(results, wanted);
  assert.equal(seen.length, tasks.length, 'every task counts once');
});

test('a late task may be a failure, and an abort does not wait for it', async () => {
  const refuse = { seconds: 1, result: () => assert.fail('too late') };
  await assert.rejects(mapInWorkers<number, number>(ENTRY, { plus: 1 }, [555], { late: refuse }), /too late/);
  const stop = new AbortController();
  const running = mapInWorkers<number, number>(ENTRY, { plus: 1 }, [555], {
    signal: stop.signal,
    late: { seconds: 600, result: () => 0 },
  });
  stop.abort(new Error('stop now'));
  await assert.rejects(running, /stop now/);
});
