import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showError } from '../../src/core/errors.ts';
import { DiskError, explainDisk } from '../../src/train/out-of-disk.ts';

const refusal = (code: string, facts: { syscall: string; path?: string }) =>
  Object.assign(new Error(`${code}: refused`), { code, ...facts });
const RUN = '/nowhere/runs/20190901-101500-a';

test('what the disk refuses a run is one sentence with what to do', async () => {
  const full = (await explainDisk(refusal('ENOSPC', { syscall: 'write' }), RUN)) as Error;
  assert.ok(full instanceof DiskError);
  assert.equal(
    showError(full),
    `Cannot write ${RUN}: ENOSPC: refused. There is no checkpoint yet. Make room (\`npm run gc dry_run=true\` shows what can go), then go on with resume=20190901-101500-a.`,
  );
  const inside = { syscall: 'open', path: `${RUN}/checkpoints/index.json` };
  const wrapped = new Error('Something.', { cause: refusal('EROFS', inside) });
  assert.match(((await explainDisk(wrapped, RUN)) as Error).message, /Make it writable, then go on/);
});

test('any other error stays as it is', async () => {
  const others = [
    new Error('A bug.'),
    refusal('EACCES', { syscall: 'open', path: '/data/cache.pixels' }),
    refusal('EIO', { syscall: 'read' }),
    refusal('ENOENT', { syscall: 'open', path: `${RUN}/config.yml` }),
  ];
  for (const error of others) assert.equal(await explainDisk(error, RUN), error);
  const early = refusal('ENOSPC', { syscall: 'write' });
  assert.equal(await explainDisk(early, undefined), early);
});
