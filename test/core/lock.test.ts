import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { tryLock, withLock } from '../../src/core/lock.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
});
after(async () => await rm(folder, { recursive: true }));

test('one holder at a time', async () => {
  const path = join(folder, 'lock');
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside--;
  };
  await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)]);
  assert.equal(most, 1);
});

test('a living holder keeps it, a dead one loses it', async () => {
  const path = join(folder, 'other');
  assert.equal(await tryLock(path), true);
  assert.equal(await tryLock(path), false);
  // No process has this id: Linux counts to at most 2^22.
  await writeFile(path, JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), born: '1' }));
  assert.equal(await tryLock(path), true);
});

test('a holder that is dead but was never collected loses it', async () => {
  // The shell becomes a sleeper, which collects nobody.
  const sleeper = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 20'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const pid = Number(await new Promise((resolve) => sleeper.stdout.once('data', resolve)));
    const fields = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    const path = join(folder, 'zombie');
    await writeFile(path, JSON.stringify({ pid, host: hostname(), born: fields()[19] }));
    while (fields()[0] !== 'Z') await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(await tryLock(path), true);
  } finally {
    sleeper.kill('SIGKILL');
  }
});

test('a reused process id is not its former owner', async () => {
  const path = join(folder, 'reused');
  await writeFile(path, JSON.stringify({ pid: process.pid, host: hostname(), born: '1' }));
  assert.equal(await tryLock(path), true);
});

test('the lock is free after work that throws', async () => {
  const path = join(folder, 'throwing');
  await assert.rejects(
    withLock(path, async () => {
      throw new Error('it broke');
    }),
    /it broke/,
  );
  assert.equal(await tryLock(path), true);
});

test('of many that find it stale one gets it', async () => {
  const path = join(folder, 'contested');
  await writeFile(path, JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), born: '1' }));
  const taken = await Promise.all(Array.from({ length: 20 }, () => tryLock(path)));
  assert.equal(taken.filter((mine) => mine).length, 1);
});

test('an empty lock that a dying process left is taken over after a while', async () => {
  const path = join(folder, 'empty');
  await writeFile(path, '');
  assert.equal(await tryLock(path), false);
  const before = Date.now() / 1000 - 60;
  await utimes(path, before, before);
  assert.equal(await tryLock(path), true);
});

test('a process that died while it removed a dead one’s lock is in nobody’s way', async () => {
  const path = join(folder, 'twice');
  const dead = (pid: number) => JSON.stringify({ pid, host: hostname(), born: '1' });
  await writeFile(path, dead(2 ** 22 + 1));
  await writeFile(`${path}.stale`, dead(2 ** 22 + 2));
  assert.equal(await tryLock(path), true);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('twice')),
    ['twice'],
  );
});

test('a process that dies while it writes its lock leaves none', async () => {
  const path = join(folder, 'dying');
  // Killed where the file is open and has nothing in it.
  const script = `
    import { open } from 'node:fs/promises';
    const handle = await open(${JSON.stringify(join(folder, 'any'))}, 'w');
    Object.getPrototypeOf(handle).writeFile = () => process.kill(process.pid, 'SIGKILL');
    const { tryLock } = await import(${JSON.stringify(new URL('../../src/core/lock.ts', import.meta.url).href)});
    await tryLock(${JSON.stringify(path)});`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: 'inherit' });
  const signal = await new Promise((resolve) => child.on('close', (_, by) => resolve(by)));
  assert.equal(signal, 'SIGKILL');
  assert.equal(await tryLock(path), true);
});

test('while somebody living removes a dead one’s lock, nobody else does', async () => {
  const path = join(folder, 'removing');
  await writeFile(path, JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), born: '1' }));
  assert.equal(await tryLock(`${path}.stale`), true);
  assert.equal(await tryLock(path), false);
});
