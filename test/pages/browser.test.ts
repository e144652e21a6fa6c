import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findBrowser, visitPage } from './browser.ts';

test('a browser hears what a page complains of and asks for', { skip: findBrowser() === undefined }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'page-'));
  const file = join(folder, 'page.html');
  const picture = '<img src="http://127.0.0.1:9/x.png" alt="x">';
  await writeFile(
    file,
    `<p style="width:9000px">words</p>${picture}<script>console.error('oh');throw new Error('no')</script>`,
  );
  const visit = await visitPage(file);
  await rm(folder, { recursive: true });
  assert.deepEqual(visit.requests, ['http://127.0.0.1:9/x.png']);
  assert.ok(
    visit.complaints.some((each) => each.includes('"oh"')) &&
      visit.complaints.some((each) => each.includes('Error: no')),
  );
  assert.deepEqual([visit.scripts, visit.images, visit.broken, visit.overflows, visit.text], [1, 1, 1, true, 'words']);
});
