import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html, trusted } from '../../src/pages/html.ts';
import { counted, decimal, percent } from '../../src/pages/numbers.ts';

test('text is escaped, in elements and in attributes; HTML and numbers are not', () => {
  const name = `<b a="1" b='2'>&`;
  const escaped = '&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;';
  assert.equal(html`<i title="${name}">${name}</i>`.markup, `<i title="${escaped}">${escaped}</i>`);
  assert.equal(html`<p>${html`<b>${7}</b>`}${trusted('<hr>')}</p>`.markup, '<p><b>7</b><hr></p>');
});

test('lists are joined; what is not there is nothing, and zero is something', () => {
  assert.equal(html`[${['a', html`<b></b>`, ['<']]}${undefined}${false}${0}]`.markup, '[a<b></b>&lt;0]');
});

test('numbers are written for reading', () => {
  assert.equal(percent(2669, 12047), '22.2 %');
  assert.equal(percent(0, 0), '–');
  assert.equal(counted(1, 'image'), '1 image');
  assert.equal(counted(12047, 'image'), '12,047 images');
  assert.equal(decimal(undefined, 2), '–');
  assert.equal(decimal(0.125, 2), '0.13');
});
