import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startThreads } from '../../src/data/loader-threads.ts';

const ODD = new URL('./odd-worker.ts', import.meta.url);
const { signal } = new AbortController();
const start = (count: number, stop = signal) => startThreads<string>(ODD, undefined, { count, signal: stop });

/** Threads of this process that have not ended. */
function threadsAlive(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
}

test('news come from every thread', async () => {
  const threads = start(2);
  const first = threads.news();
  threads.give('speak');
  await first;
  threads.check();
  assert.ok(threadsAlive() > 0, 'living ones are seen');
  await threads.close();
  assert.equal(threadsAlive(), 0);
});

test('an error in a thread is thrown once for all, and ends the others', async () => {
  const threads = start(3);
  const news = threads.news();
  threads.give('throw');
  await news;
  assert.equal(threads.failed(), true);
  assert.throws(() => threads.check(), { name: 'TypeError', message: 'no such thing' });
  await threads.news();
  await threads.close();
  assert.throws(() => threads.check(), /no such thing/);
  assert.equal(threadsAlive(), 0);
});

test('a thread that ends on its own is noticed', async () => {
  const threads = start(1);
  const news = threads.news();
  threads.give('leave');
  await news;
  assert.throws(() => threads.check(), /ended on its own, code 7/);
  await threads.close();
});

test('an abort and a close end threads that are asleep, and whoever waits is told', async () => {
  const stop = new AbortController();
  const threads = start(2, stop.signal);
  threads.give('sleep');
  const news = threads.news();
  stop.abort(new Error('enough'));
  await news;
  assert.throws(() => threads.check(), /enough/);
  await threads.close();

  const closed = start(1);
  closed.give('sleep');
  const last = closed.news();
  await closed.close();
  await last;
  assert.throws(() => closed.check(), /an open loader but it was closed/);
  assert.equal(threadsAlive(), 0);
});

test('with an aborted signal nothing starts', async () => {
  const threads = start(1, AbortSignal.abort(new Error('too late')));
  assert.throws(() => threads.check(), /too late/);
  await threads.close();
  assert.equal(threadsAlive(), 0);
});
