import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/core/errors.ts';
import { serveTasks } from '../../src/core/worker-pool.ts';

serveTasks<{ plus: number }, number, number>(async (task, { plus }) => {
  if (task === 999) process.exit(7);
  // As a decoder that never comes to an end: the thread hears nothing any more.
  while (task === 555);
  if (task < 0) throw new UserError('below zero');
  if (Number.isNaN(task)) throw new Error('not a number');
  await sleep(task % 3);
  return task * task + plus;
});
