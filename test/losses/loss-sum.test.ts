import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossConfig } from '../../src/losses/index.ts';
import { lossSum } from '../../src/losses/loss-sum.ts';

const loss = (name: string, weight = 1) => lossConfig.parse({ name, weight });

test('a sum of losses as text is the list that it says', () => {
  const wanted = [loss('bce', 3), loss('dice'), loss('focal', 4)];
  for (const text of ['3·bce + 1·dice + 4·focal', '3*bce + dice + 4*focal', '3 * bce+dice + 4.0·focal ']) {
    assert.deepEqual(lossSum.parse(text), wanted, text);
  }
  assert.deepEqual(lossSum.parse('lovasz'), [loss('lovasz')]);
  assert.deepEqual(lossSum.parse('0.5*bce'), [loss('bce', 0.5)]);
});

for (const text of ['', 'bce +', 'bxe', '0*bce', '-1*bce', '3 bce', 'bce - dice', 'bce*3', '3**bce', 'bce, dice']) {
  test(`"${text}" is no sum of losses`, () => {
    const { error } = lossSum.safeParse(text);
    assert.deepEqual(
      error?.issues.map(({ message }) => message),
      ['a sum, such as 3*bce + dice, of bce, dice, focal, lovasz, tversky, presence'],
    );
  });
}
