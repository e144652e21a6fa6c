import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { emptyMask, type GrayImage } from '../../src/core/image.ts';
import { heatMap } from '../../src/pages/heat-map.ts';
import { pictureUri } from '../../src/pages/picture.ts';

const GREY: GrayImage = { width: 64, height: 64, data: new Uint8Array(64 * 64).fill(100) };

/** The pixels of a `data:` address, [H,W,3]. */
async function decode(markup: string) {
  const [, base64] = /data:image\/webp;base64,([\w+/=]+)/.exec(markup)!;
  const { data, info } = await sharp(Buffer.from(base64!, 'base64'))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)];
  return { ...info, at };
}

const isGrey = ([r, g, b]: number[]) => Math.max(r!, g!, b!) - Math.min(r!, g!, b!) < 20;

test('a picture keeps its shape and its grey', async () => {
  const picture = await decode(
    await pictureUri({ width: 40, height: 20, data: new Uint8Array(800).fill(100) }, undefined, 80),
  );
  assert.deepEqual([picture.width, picture.height], [80, 40]);
  assert.ok(isGrey(picture.at(30, 30)) && Math.abs(picture.at(30, 30)[0]! - 100) < 4);
});

test("a mask's outline is drawn in orange, the inside is left as it is, and the smallest mask is seen", async () => {
  const mask = emptyMask(128);
  for (let y = 32; y < 96; y++) mask.data.fill(1, y * 128 + 32, y * 128 + 96);
  const picture = await decode(await pictureUri(GREY, mask, 128));
  const [red, , blue] = picture.at(33, 64);
  assert.ok(red! - blue! > 60, 'the border is orange');
  assert.ok(isGrey(picture.at(64, 64)) && isGrey(picture.at(10, 64)));
  const speck = emptyMask(1024);
  speck.data.fill(1, 512 * 1024 + 508, 512 * 1024 + 516);
  const small = await decode(await pictureUri(GREY, speck, 64));
  assert.ok(!isGrey(small.at(32, 32)));
});

test('a heat map is brightest where the values are, and black and white where there are none', async () => {
  const values = new Array<number>(64).fill(0);
  values[2 * 8 + 5] = 0.5;
  const { markup } = await heatMap({
    side: 8,
    values,
    background: GREY,
    alt: 'map',
    caption: 'c',
    show: (v) => v.toFixed(3),
  });
  const map = await decode(markup);
  const cell = map.width / 8;
  const [red, , blue] = map.at(Math.floor(5.5 * cell), Math.floor(2.5 * cell));
  assert.ok(red! > 220 && blue! < 200, 'hot');
  assert.ok(isGrey(map.at(Math.floor(0.5 * cell), Math.floor(6.5 * cell))));
  // A quarter of the weight each way lies in the neighbours: the peak is 0.5 · (1/2)².
  assert.match(markup, /<span>0\.000<\/span><span>0\.125<\/span>/);
  const empty = await heatMap({ side: 1, values: [0], alt: 'map', caption: 'c', show: String });
  assert.match(empty.markup, /<span>0<\/span><span>0<\/span>/);
});
