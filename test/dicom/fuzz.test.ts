import { test } from 'node:test';
import { fuzz } from './fuzz.ts';

/** The other numbers, and the larger files, are in fuzz.long.ts. */
test('150 damaged files give a picture or a sentence, within time and memory', async (context) => {
  const { decoded, refused, slowest, largest } = await fuzz(0, 150, 0.6);
  const memory = `${(largest / 2 ** 20).toFixed(0)} MiB`;
  context.diagnostic(`${decoded} decoded, ${refused} refused, at most ${slowest.seconds} s and ${memory}`);
});
