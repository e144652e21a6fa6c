import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  asideOf,
  isAside,
  sha256,
  sha256File,
  writeDirectoryAtomic,
  writeFileAtomic,
} from '../../src/core/atomic-file.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'atomic-'));
});
after(async () => await rm(folder, { recursive: true }));

test('a file is there whole, replaced as a whole, and leaves nothing beside it', async () => {
  const path = join(folder, 'a', 'file.txt');
  await writeFileAtomic(path, 'first');
  await writeFileAtomic(path, 'second');
  assert.equal(await readFile(path, 'utf8'), 'second');
  assert.deepEqual(await readdir(join(folder, 'a')), ['file.txt']);
  assert.equal(await sha256File(path), sha256('second'));
});

test('what cannot be put in place leaves nothing', async () => {
  await writeFile(join(folder, 'plain'), '');
  await assert.rejects(writeFileAtomic(join(folder, 'plain', 'file.txt'), 'x'));
  await writeDirectoryAtomic(join(folder, 'taken'), async (aside) => await writeFile(join(aside, 'x'), '1'));
  await assert.rejects(writeFileAtomic(join(folder, 'taken'), 'x'));
  assert.deepEqual((await readdir(folder)).sort(), ['a', 'plain', 'taken']);
});

test('a directory whose filling fails is not there', async () => {
  const failing = writeDirectoryAtomic(join(folder, 'half'), async (aside) => {
    await writeFile(join(aside, 'x'), '1');
    throw new Error('full');
  });
  await assert.rejects(failing, /full/);
  assert.equal(
    (await readdir(folder)).some((name) => name.includes('half')),
    false,
  );
});

test('what is written aside is known by its name', () => {
  assert.ok(isAside(basename(asideOf('runs/a/checkpoints/epoch-0001'))));
  for (const name of ['epoch-0001', '.hidden', '.a.tmp', 'a.12-0123abcd.tmp']) assert.ok(!isAside(name), name);
});
