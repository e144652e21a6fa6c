import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLeakage, hashesOf } from '../../src/data/leakage.ts';

const row = (imageId: string, fold: number, patientId = '') => ({ imageId, fold, patientId });

test('patients and images on both sides are counted; who is unknown leaks unseen', () => {
  const rows = [
    row('a', -1, 'anna'),
    row('b', 0, 'anna'),
    row('c', 0, 'anna'),
    row('d', 0, 'bert'),
    row('e', 0, 'bert'),
  ];
  assert.deepEqual(findLeakage([...rows, row('f', -1), row('g', 0)]), {
    patients: 1,
    images: 3,
    duplicates: undefined,
  });
});

test('nearly equal pictures in different folds are pairs; in one fold they are none', () => {
  const [zeros, ones] = ['0'.repeat(64), 'f'.repeat(64)];
  const near = `${'0'.repeat(63)}7`;
  const hashes = new Map([
    ['a', zeros],
    ['b', near],
    ['c', near],
    ['d', ones],
    ['elsewhere', zeros],
  ]);
  const { duplicates } = findLeakage([row('a', 0), row('b', 1), row('c', 0), row('d', 1)], hashes);
  assert.deepEqual(duplicates, [
    ['a', 'b'],
    ['b', 'c'],
  ]);
});

test('a catalogue without hashes tells nothing of duplicates', () => {
  assert.equal(hashesOf([{ imageId: 'a' }, { imageId: 'b', phash: '' }]), undefined);
  assert.deepEqual(
    hashesOf([
      { imageId: 'a', phash: '00' },
      { imageId: 'b', phash: '' },
    ]),
    new Map([['a', '00']]),
  );
});
