import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  createProbabilityStore,
  openProbabilityStore,
  type ProbabilityWriter,
} from '../../src/predict/probability-store.ts';

const FACTS = { resolution: 4, checkpoint: 'c0ffee', tta: ['none', 'hflip'] };
const MAPS = { a: new Uint8Array(16).fill(7), 'b/ä': Uint8Array.from({ length: 16 }, (_, i) => 17 * i) };

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probability-store-'));
});
after(() => rm(folder, { recursive: true }));

async function writeStore(name: string, maps: Record<string, Uint8Array> = MAPS): Promise<string> {
  const path = join(folder, name, 'x.probs');
  const writer = await createProbabilityStore(path, FACTS);
  for (const [id, map] of Object.entries(maps)) await writer.append(id, map);
  await writer.finish();
  return path;
}

test('what was written is read, in any order, with what it belongs to', async () => {
  const store = await openProbabilityStore(await writeStore('whole'));
  assert.deepEqual({ resolution: store.resolution, checkpoint: store.checkpoint, tta: store.tta }, FACTS);
  assert.deepEqual(store.ids, Object.keys(MAPS));
  assert.deepEqual(Uint8Array.from(store.read('b/ä')), MAPS['b/ä']);
  assert.deepEqual(Uint8Array.from(store.read('a')), MAPS.a);
  assert.throws(() => store.read('c'), /no probabilities of image c/);
  store.close();
  store.close();
  assert.throws(() => store.read('a'), /closed/);
});

test('presences are read beside the maps; a store without them has none', async () => {
  const path = join(folder, 'presence', 'x.probs');
  const writer = await createProbabilityStore(path, FACTS);
  await writer.append('a', MAPS.a, 0.25);
  await writer.append('b', MAPS.a, 0.75);
  await writer.finish();
  const store = await openProbabilityStore(path);
  assert.deepEqual(store.ids.map(store.presenceOf), [0.25, 0.75]);
  assert.throws(() => store.presenceOf('c'), /no probabilities of image c/);
  store.close();
  const without = await openProbabilityStore(await writeStore('without-presence'));
  assert.equal(without.presenceOf('a'), undefined);
  without.close();
});

test('the same maps give the same bytes, and a store is replaced as a whole', async () => {
  const path = await writeStore('again');
  const bytes = await readFile(path);
  assert.deepEqual(await readFile(await writeStore('again')), bytes);
  await writeStore('again', { c: MAPS.a });
  const store = await openProbabilityStore(path);
  assert.deepEqual(store.ids, ['c']);
  store.close();
});

test('nothing is there before finish, and nothing is left after abandon', async () => {
  const path = join(folder, 'half', 'x.probs');
  const writer = await createProbabilityStore(path, FACTS);
  await writer.append('a', MAPS.a);
  await assert.rejects(openProbabilityStore(path), /Cannot read the probabilities/);
  await writer.abandon();
  await writer.abandon();
  assert.deepEqual(await readdir(join(folder, 'half')), []);
});

test('abandoning what is finished keeps it', async () => {
  const path = join(folder, 'kept', 'x.probs');
  const writer = await createProbabilityStore(path, FACTS);
  await writer.finish();
  await writer.abandon();
  const store = await openProbabilityStore(path);
  assert.deepEqual(store.ids, []);
  store.close();
});

test('refuses a map of another size and an image given twice', async () => {
  const writer = await createProbabilityStore(join(folder, 'bad', 'x.probs'), FACTS);
  await assert.rejects(writer.append('a', new Uint8Array(15)), /side 4 has not 15 values \(image a\)/);
  await writer.append('a', MAPS.a);
  await assert.rejects(writer.append('a', MAPS.a), /image a already/);
  await writer.abandon();
});

test('any one byte changed, and any cut, is noticed when opening', async () => {
  const path = await writeStore('damaged');
  const bytes = await readFile(path);
  for (let place = 0; place < bytes.length; place += 3) {
    const damaged = Buffer.from(bytes);
    damaged[place] = damaged[place]! ^ 0x20;
    await writeFile(path, damaged);
    await assert.rejects(openProbabilityStore(path), /x\.probs are damaged: .*Remove the file/, `byte ${place}`);
    await writeFile(path, bytes.subarray(0, place));
    await assert.rejects(openProbabilityStore(path), /x\.probs are damaged/, `cut at ${place}`);
  }
});

test('what an attempt left is taken up, as far as it is whole, and the store is the one that was never interrupted', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const mapOf = (name: string) => Uint8Array.from({ length: 16 }, (_, i) => (i * name.charCodeAt(0)) % 251);
  const write = async (writer: ProbabilityWriter, some: readonly string[]) => {
    for (const name of some) await writer.append(name, mapOf(name), 0.5);
  };
  const undisturbed = join(folder, 'undisturbed', 'x.probs');
  const whole = await createProbabilityStore(undisturbed, FACTS);
  await write(whole, names);
  await whole.finish();

  const path = join(folder, 'left', 'x.probs');
  const first = await createProbabilityStore(path, FACTS, { takeUp: 'data' });
  await write(first, names.slice(0, 3));
  await first.leave();
  // As if it had been killed while it wrote: half of a chunk, and half of a line.
  const part = await readFile(`${path}.part`);
  await writeFile(`${path}.part`, part.subarray(0, -3));
  await appendFile(`${path}.part.jsonl`, '{"id":"d","len');
  const second = await createProbabilityStore(path, FACTS, { takeUp: 'data' });
  assert.deepEqual(second.ids, ['a', 'b']);
  // Another process that wants the same meanwhile writes its own.
  const other = await createProbabilityStore(path, FACTS, { takeUp: 'data' });
  assert.deepEqual(other.ids, []);
  await other.abandon();
  await write(second, names.slice(2));
  await second.finish();
  assert.deepEqual(await readFile(path), await readFile(undisturbed));
  assert.deepEqual(await readdir(join(folder, 'left')), ['x.probs']);

  const begun = await createProbabilityStore(path, FACTS, { takeUp: 'data' });
  await write(begun, ['a']);
  await begun.leave();
  for (const [facts, of] of [
    [FACTS, 'other data'],
    [{ ...FACTS, checkpoint: 'beef' }, 'data'],
  ] as const) {
    const anew = await createProbabilityStore(path, facts, { takeUp: of });
    assert.deepEqual(anew.ids, [], 'of something else nothing is taken');
    await write(anew, ['a']);
    await anew.leave();
  }
});
