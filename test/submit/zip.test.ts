import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fromBufferPromise } from 'yauzl';
import { zipFiles } from '../../src/submit/zip.ts';

const zone = process.env.TZ;
after(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const FILES = { 'x.csv': 'ImageId,EncodedPixels\n', 'x.manifest.json': '{}\n' };

async function list(zip: Buffer): Promise<{ name: string; date: string; text: string }[]> {
  const file = await fromBufferPromise(zip, { lazyEntries: true });
  const entries: { name: string; date: string; text: string }[] = [];
  for await (const entry of file.eachEntry()) {
    const parts: Buffer[] = [];
    for await (const part of await file.openReadStreamPromise(entry)) parts.push(part as Buffer);
    const date = entry.getLastModDate({ timezone: 'UTC' }).toISOString();
    entries.push({ name: entry.fileName, date, text: Buffer.concat(parts).toString() });
  }
  return entries;
}

test('a zip holds its files in their order', async () => {
  const entries = await list(await zipFiles(FILES));
  assert.deepEqual(
    entries.map(({ name, text }) => [name, text]),
    Object.entries(FILES),
  );
  for (const { date } of entries) assert.equal(date, '1980-01-01T00:00:00.000Z');
});

test('the bytes depend on neither the time nor the time zone', async () => {
  process.env.TZ = 'Pacific/Auckland';
  const first = await zipFiles(FILES);
  process.env.TZ = 'America/Los_Angeles';
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(await zipFiles(FILES), first);
});
