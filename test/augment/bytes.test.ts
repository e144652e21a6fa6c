import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type AugmentConfig, augmentConfig } from '../../src/augment/index.ts';
import { apply } from './discs.ts';

/** What each step with its defaults made of fifty images, when it was written (equal under Node 20 and 22). */
const DIGESTS: Partial<Record<AugmentConfig['name'], string>> = {
  hflip: '6cd396d82b1554ea',
  random_crop_zoom: 'b819fcd0a7e5b5c4',
  shift_scale_rotate: 'c281d8baa9b85cdc',
  elastic_transform: '93ddaf35a3e01056',
  grid_distortion: 'f1440774201dafa5',
  optical_distortion: '1ca57f8c9c8a21f0',
  brightness_contrast: '46b31a0303a1ad91',
  brightness: '3b98ecc55ccfcd0e',
  contrast: '13a1fc3b058976be',
  gamma: '24005d508c24c11d',
  noise: '9b19b163d511232b',
  blur: '722009a044322bcb',
  cutout: 'a7ca1cf57a21dca5',
};

test('one seed gives the same bytes on every machine', () => {
  const size = 97;
  const digests = Object.keys(DIGESTS).map((name) => {
    const step = augmentConfig.parse({ name, p: 1 });
    const hash = createHash('sha256');
    for (let seed = 0; seed < 50; seed++) {
      const image = Uint8Array.from({ length: size * size }, (_, i) => 60 + (((i * 7919) % 97) * 13) / 10);
      const result = apply(step, { size, image, mask: image.map((level) => (level > 140 ? 1 : 0)) }, seed);
      hash.update(result.image).update(result.mask);
    }
    return [name, hash.digest('hex').slice(0, 16)];
  });
  assert.deepEqual(Object.fromEntries(digests), DIGESTS);
});
