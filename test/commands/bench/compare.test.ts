import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { benchCommand } from '../../../src/commands/bench/index.ts';
import { UserError } from '../../../src/core/errors.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';

const cwd = await mkdtemp(join(tmpdir(), 'bench-compare-'));
after(() => rm(cwd, { recursive: true }));
const run = (values: Record<string, string>) =>
  benchCommand.run({ words: ['compare'], values, cwd, signal: new AbortController().signal }, silentTerminal);

test('both commands answer on a synthetic project, and the report says how long they took', async () => {
  const { json } = await run({ runs: '4', epochs: '3', updates: '5', submissions: '3' });
  const answers = json.answers as { command: string; first: number; again: number }[];
  assert.deepEqual(
    answers.map(({ command }) => command),
    ['compare', 'leaderboard'],
  );
  assert.ok(answers.every(({ first, again }) => first > 0 && again > 0));
  const report = await readFile(join(cwd, 'reports', 'bench-compare.md'), 'utf8');
  assert.match(report, /4 runs of 3 epochs and 5 updates an epoch \(72 lines/);
  await assert.rejects(run({ runs: '0' }), UserError);
});
