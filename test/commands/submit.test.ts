import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { submitCommand } from '../../src/commands/submit.ts';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'submit-'));
  await writeFile(join(folder, 'x.yml'), 'name: x\nmembers:\n  - { run: nobody }\n');
});
after(() => rm(folder, { recursive: true }));

const WRONG: [what: string, values: Record<string, string>, message: RegExp][] = [
  ['no stage', {}, /Expected 1, 2 or oof for stage but received undefined\. Name it/],
  ['another stage', { stage: '3' }, /Expected 1, 2 or oof for stage but received "3"/],
  ['a stamp that is no time', { stage: '1', stamp: 'today' }, /a time in UTC like .* for stamp but received "today"/],
  ['a doubtful dry_run', { stage: '1', dry_run: 'yes' }, /Expected true or false for dry_run but received "yes"/],
  [
    'a key at a wrong place',
    { stage: '1', threshold: '0.4' },
    /command line \(threshold=0\.4\): .* Did you mean postprocess\.threshold\?/,
  ],
  ['a run that is not there', { stage: '1' }, /received "nobody": there are no runs under/],
];

for (const [what, values, message] of WRONG) {
  test(`refuses ${what}, and writes nothing`, async () => {
    const args = { words: ['x.yml'], values, cwd: folder, signal: new AbortController().signal };
    await assert.rejects(submitCommand.run(args, silentTerminal), (error: Error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(await readdir(folder), ['x.yml']);
  });
}
