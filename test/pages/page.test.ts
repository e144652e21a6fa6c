import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bars, histogram } from '../../src/pages/charts.ts';
import { html } from '../../src/pages/html.ts';
import { card, page, sideBySide } from '../../src/pages/page.ts';
import { table } from '../../src/pages/table.ts';
import { checkPage } from './check-page.ts';

const SERIES = [
  { name: 'positive', tone: 'positive' },
  { name: 'negative', tone: 'negative' },
] as const;

test('the shell is whole HTML that needs nothing from outside', async () => {
  const chart = await bars({
    caption: 'By <view>',
    axis: 'View',
    series: SERIES,
    bars: [{ name: 'PA & AP', counts: [1, 2] }],
  });
  const cells = table({
    caption: 'A "table"',
    columns: [{ heading: 'a' }, { heading: 'b', numeric: true }],
    rows: [['<x>', 1]],
  });
  const text = page({
    title: 'a <b> & "c"',
    kind: 'Test',
    lead: 'lead',
    tiles: [{ label: 'Images', value: '1', note: 'of 2', warns: true }],
    sections: [{ id: 'one', heading: 'One', content: sideBySide(card('Chart', chart), card('Table', cells)) }],
    footer: html`<p>end</p>`,
  });
  checkPage(text);
  assert.match(text, /<title>a &lt;b&gt; &amp; &quot;c&quot; · Test<\/title>/);
  assert.match(text, /prefers-color-scheme: dark/);
  assert.match(text, /<nav aria-label="Contents"><ol>\n<li><a href="#one">One<\/a>/);
  assert.match(text, /Content-Security-Policy" content="default-src 'none'/);
});

test('a table has a caption, headings with their scope, and numbers to the right', () => {
  const { markup } = table({
    caption: 'Sets',
    columns: [{ heading: 'Set' }, { heading: 'Images', numeric: true }],
    rows: [['train', '10']],
  });
  assert.match(markup, /<caption>Sets<\/caption>/);
  assert.match(markup, /<th scope="col" class="number">Images<\/th>/);
  assert.match(markup, /<th scope="row" class="text">train<\/th><td class="number">10<\/td>/);
});

test('a histogram draws a box for each count, on top of one another, in the colours of the page', async () => {
  const bins = [
    { from: 0, to: 10, counts: [3, 1] },
    { from: 10, to: 20, counts: [0, 2] },
  ];
  const { markup } = await histogram({ caption: 'Ages', axis: 'age', bins, series: SERIES });
  const boxes = [...markup.matchAll(/<path [^>]*fill="var\(--(\w+)\)"/g)].map(([, tone]) => tone);
  assert.deepEqual(boxes, ['positive', 'negative', 'negative']);
  assert.match(markup, /<svg class="plot" role="img" aria-label="Ages" viewBox="0 0 \d+ \d+">/);
  assert.doesNotMatch(markup, /fill="(#|white)/, 'no colour that the dark page cannot change');
  assert.match(
    markup,
    /<th scope="row" class="text">10 – 20<\/th><td class="number">0<\/td><td class="number">2<\/td>/,
  );
  assert.match(markup, /<i style="background: var\(--negative\)"><\/i>negative/);
});

test('bars are as long as their counts, and one series needs no legend', async () => {
  const { markup } = await bars({
    caption: 'Views',
    axis: 'View',
    series: [{ name: 'images', tone: 'plain' }],
    bars: [
      { name: 'PA', counts: [40] },
      { name: 'AP', counts: [10] },
    ],
  });
  const widths = [...markup.matchAll(/fill="var\(--plain\)"/g)];
  assert.equal(widths.length, 2);
  const drawn = [...markup.matchAll(/<path [^>]*d="M([\d.]+),[\d.]+h([\d.]+)v[^>]*fill="var\(--plain\)"/g)];
  assert.equal(drawn.length, 2);
  assert.ok(Math.abs(Number(drawn[0]![2]) / Number(drawn[1]![2]) - 4) < 0.01);
  assert.doesNotMatch(markup, /class="legend"/);
  assert.match(markup, />PA<\/text>/);
});

test('the same chart is the same text, and one without bins is drawn all the same', async () => {
  const chart = { caption: 'Areas', axis: 'area', series: [SERIES[0]], scale: 'log' as const };
  const bins = [{ from: 100, to: 200, counts: [1] }];
  assert.equal((await histogram({ ...chart, bins })).markup, (await histogram({ ...chart, bins })).markup);
  assert.match((await histogram({ ...chart, bins: [] })).markup, /<svg/);
});
