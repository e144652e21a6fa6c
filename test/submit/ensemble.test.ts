import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { meanProbability } from '../../src/postprocess/mean-probability.ts';
import { openProbabilityStore, type ProbabilityStore } from '../../src/predict/probability-store.ts';
import { readMember } from '../../src/submit/encode-mask.ts';

interface Golden {
  size: number;
  weights: number[];
  /** The files in base64. */
  stores: string[];
  /** Of the first member's images. */
  presences: number[];
  average: Record<string, number[]>;
}

test('the average of two members is scipy’s from the same files, which Python wrote (test/golden/ensemble.py)', async () => {
  const file = new URL('../golden/ensemble.json', import.meta.url);
  const { size, weights, stores, presences, average } = JSON.parse(readFileSync(file, 'utf8')) as Golden;
  const folder = await mkdtemp(join(tmpdir(), 'ensemble-'));
  try {
    const opened: ProbabilityStore[] = [];
    for (const [place, bytes] of stores.entries()) {
      const path = join(folder, `${place}.probs`);
      await writeFile(path, Buffer.from(bytes, 'base64'));
      opened.push(await openProbabilityStore(path));
    }
    assert.deepEqual(Object.keys(average), opened[1]!.ids);
    for (const [image, [id, expected]] of Object.entries(average).entries()) {
      const members = opened.map((store, place) => readMember(store, id, weights[place]!));
      assert.deepEqual([members[0]!.presence, members[1]!.presence], [presences[image], undefined]);
      const mean = meanProbability(members, size);
      assert.equal(mean.length, expected.length);
      for (const [i, value] of mean.entries()) {
        assert.ok(Math.abs(value - expected[i]!) < 1e-8, `${id}, pixel ${i}: ${value} and ${expected[i]}`);
      }
    }
    for (const store of opened) store.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});
