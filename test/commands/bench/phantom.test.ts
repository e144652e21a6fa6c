import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fitPatchLogistic } from '../../../src/commands/bench/patch-logistic.ts';
import { benchPhantom } from '../../../src/commands/bench/phantom.ts';
import { diceAtBestThreshold, diceByThreshold, type Example } from '../../../src/commands/bench/score-maps.ts';
import { UserError } from '../../../src/core/errors.ts';
import { createRng } from '../../../src/core/random.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';

let cwd = '';
before(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'bench-'));
});
after(() => rm(cwd, { recursive: true, force: true }));

const signal = new AbortController().signal;

test('Dice is known at every threshold', () => {
  const example = { pixels: Uint8Array.of(10, 20, 30, 40), mask: Uint8Array.of(0, 0, 1, 1) };
  const dice = diceByThreshold([example], ({ pixels }) => pixels);
  // All four pixels against two: 2·2 / (4 + 2); three: 2·2 / (3 + 2); the two right ones: 1; one: 2·1 / (1 + 2); none: 0.
  assert.deepEqual(
    [10, 11, 21, 31, 41].map((t) => dice[t]!),
    [4 / 6, 4 / 5, 1, 2 / 3, 0],
  );
});

test('the threshold is chosen on the training examples alone', () => {
  const train = [{ pixels: Uint8Array.of(10, 20), mask: Uint8Array.of(0, 1) }];
  const held = [{ pixels: Uint8Array.of(5, 8), mask: Uint8Array.of(0, 1) }];
  // 11 to 20 are the best thresholds; nothing held out reaches them.
  assert.equal(
    diceAtBestThreshold(train, held, ({ pixels }) => pixels),
    0,
  );
});

test('logistic regression finds what a linear filter can see', () => {
  const size = 32;
  const rng = createRng(1, 'squares');
  const examples = Array.from({ length: 6 }, (): Example => {
    const [left, top] = [rng.integer(4, 18), rng.integer(4, 18)];
    const mask = new Uint8Array(size * size);
    for (let y = top; y < top + 9; y++) mask.fill(1, y * size + left, y * size + left + 9);
    return { mask, pixels: mask.map((inside) => 60 + 90 * inside + rng.integer(0, 40)) };
  });
  const scoreOf = fitPatchLogistic(examples.slice(0, 4), size, createRng(1, 'fit'));
  assert.ok(diceAtBestThreshold(examples.slice(0, 4), examples.slice(4), scoreOf) > 0.85);
});

test('the bench measures a fresh phantom and leaves a report', async () => {
  const { json } = await benchPhantom({ words: [], values: { images: '40', seed: '3' }, cwd, signal }, silentTerminal);
  for (const name of ['threshold', 'mean_mask', 'patch_logistic']) {
    assert.ok((json[name] as number) >= 0 && (json[name] as number) < 0.6, `${name} is ${json[name]}`);
  }
  assert.equal((json.trained_on as number) + (json.held_out as number), 40);
  const report = await readFile(join(cwd, 'reports/bench-phantom.md'), 'utf8');
  assert.match(report, /`npm run bench phantom images=40 seed=3`/);
  assert.ok(report.includes((json.mean_mask as number).toFixed(3)));
});

test('a mistyped key is refused before anything is made', async () => {
  const values = { image: '40' };
  await assert.rejects(benchPhantom({ words: [], values, cwd, signal }, silentTerminal), UserError);
});
