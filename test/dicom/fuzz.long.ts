import { test } from 'node:test';
import { fuzz } from './fuzz.ts';

test('2,000 damaged files give a picture or a sentence, within time and memory', async (context) => {
  const { decoded, refused, slowest, largest } = await fuzz(0, 2000, 8);
  const memory = `${(largest / 2 ** 20).toFixed(0)} MiB`;
  context.diagnostic(`${decoded} decoded, ${refused} refused, at most ${slowest.seconds} s and ${memory}`);
});
