import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Mask } from '../../src/core/image.ts';
import { findComponents } from '../../src/postprocess/components.ts';
import { postprocess, postprocessConfig } from '../../src/postprocess/index.ts';
import { keepLargerComponents } from '../../src/postprocess/min-component-area.ts';

interface GoldenComponents {
  side: number;
  mask: string;
  areas: number[];
  least: number;
  kept: string;
}

const maskOf = (digits: string, width: number): Mask => ({
  width,
  height: digits.length / width,
  data: Uint8Array.from(digits, Number),
});

const draw = (...rows: string[]): Mask =>
  maskOf(rows.join('').replaceAll('.', '0').replaceAll('#', '1'), rows[0]!.length);

test('scipy agrees on areas and on what is kept (test/golden/make-postprocess.py)', () => {
  const file = new URL('../golden/postprocess.json', import.meta.url);
  const { components } = JSON.parse(readFileSync(file, 'utf8')) as { components: GoldenComponents[] };
  assert.equal(components.length, 4);
  for (const { side, mask, areas, least, kept } of components) {
    const found = findComponents(maskOf(mask, side)).areas;
    assert.deepEqual(
      [...found].sort((a, b) => a - b),
      areas,
    );
    assert.equal(keepLargerComponents(maskOf(mask, side), least).data.join(''), kept);
  }
});

test('corners connect, and a component may close late', () => {
  const mask = draw('#..#.', '.##..', '.....', '#.#.#', '#.#.#', '###.#');
  assert.deepEqual([...findComponents(mask).areas], [4, 7, 3]);
});

test('the end of a row and the start of the next are apart', () => {
  assert.deepEqual([...findComponents(draw('..#', '#..', '..#')).areas], [1, 1, 1]);
});

/** Areas by walking from pixel to neighbouring pixel. */
function floodAreas({ width, height, data }: Mask): number[] {
  const left = Uint8Array.from(data);
  const areas: number[] = [];
  for (let seed = left.indexOf(1); seed >= 0; seed = left.indexOf(1)) {
    const stack = [seed];
    let area = 0;
    while (stack.length > 0) {
      const at = stack.pop()!;
      if (left[at] === 0) continue;
      left[at] = 0;
      area++;
      for (const dy of [-1, 0, 1])
        for (const dx of [-1, 0, 1]) {
          const [x, y] = [(at % width) + dx, Math.floor(at / width) + dy];
          if (x >= 0 && x < width && y >= 0 && y < height) stack.push(y * width + x);
        }
    }
    areas.push(area);
  }
  return areas;
}

test('union-find finds what a flood fill finds, in the order of first pixels', () => {
  const anyMask = fc
    .tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 }))
    .chain(([width, height]) =>
      fc
        .array(fc.constantFrom(0, 1), { minLength: width * height, maxLength: width * height })
        .map((bits) => ({ width, height, data: Uint8Array.from(bits) })),
    );
  fc.assert(
    fc.property(anyMask, (mask) => {
      assert.deepEqual([...findComponents(mask).areas], floodAreas(mask));
    }),
    { numRuns: 500 },
  );
});

test('a component of exactly min_component_area pixels goes, one more stays', () => {
  const mask = draw('##...#', '##...#', '.....#');
  const over = (area: number) => postprocess(mask, postprocessConfig.parse({ min_component_area: area }));
  assert.deepEqual(over(3), draw('##....', '##....', '......'));
  assert.deepEqual(over(4), draw('......', '......', '......'));
  assert.equal(over(0), mask);
});

test('the configuration is strict and has defaults', () => {
  assert.deepEqual(postprocessConfig.parse({}), {
    average: 'probabilities',
    threshold: 0.5,
    fill_holes: false,
    min_component_area: 0,
  });
  for (const bad of [{ threshold: 1 }, { threshold: Number.NaN }, { min_component_area: 1.5 }, { treshold: 0.5 }]) {
    assert.equal(postprocessConfig.safeParse(bad).success, false, JSON.stringify(bad));
  }
});
