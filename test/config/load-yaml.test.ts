import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadYaml } from '../../src/config/load-yaml.ts';
import { UserError } from '../../src/core/errors.ts';
import { makeFolder, messageOfThrown, writeText } from './files.ts';

const folder = makeFolder();

function load(text: string, overrides: Record<string, string> = {}) {
  writeText(folder, 'a.yml', text);
  return loadYaml('a.yml', overrides, folder);
}

test('values know the line of their key, through mappings, lists and aliases', () => {
  const { locate } = load(
    '# comment\na:\n  b: 1\n  c:\n    - x\n    - { d: 2,\n        e: 3 }\nf: &anchor\n  g: 1\nh: *anchor\n',
  );
  assert.equal(locate(['a']), 'a.yml:2');
  assert.equal(locate(['a', 'b']), 'a.yml:3');
  assert.equal(locate(['a', 'c', 1]), 'a.yml:6');
  assert.equal(locate(['a', 'c', 1, 'e']), 'a.yml:7');
  assert.equal(locate(['h', 'g']), 'a.yml:9');
});

test('what is absent is at what should hold it', () => {
  const { locate } = load('# comment\n\na: 1\nb:\n  c: 1\n');
  assert.equal(locate(['missing']), 'a.yml:3');
  assert.equal(locate(['b', 'missing']), 'a.yml:4');
  assert.equal(load('').locate(['missing']), 'a.yml:1');
});

test('words are YAML, go by index into lists, and know themselves', () => {
  const { value, locate } = load('a: { b: 1 }\nc: [{ d: 1 }, { d: 2 }]\n', {
    'a.b': '5e-4',
    'c.1.d': 'true',
    tta: '[none, hflip]',
    'new.key': 'text',
    octal: '0123',
    empty: '',
  });
  assert.deepEqual(value, {
    a: { b: 5e-4 },
    c: [{ d: 1 }, { d: true }],
    tta: ['none', 'hflip'],
    new: { key: 'text' },
    octal: 123,
    empty: null,
  });
  assert.equal(locate(['a', 'b']), 'command line (a.b=5e-4)');
  assert.equal(locate(['tta', 1]), 'command line (tta=[none, hflip])');
  assert.equal(locate(['c', 1, 'd']), 'command line (c.1.d=true)');
  assert.equal(locate(['c', 0, 'd']), 'a.yml:2');
  assert.equal(locate(['new']), 'command line (new.key=text)');
  assert.equal(locate([]), 'a.yml:1');
});

test('a word leaves what it was laid over as it was', () => {
  const first = load('a: { b: 1 }');
  load('a: { b: 1 }', { 'a.b': '2' });
  assert.deepEqual(first.value, { a: { b: 1 } });
});

test('a word cannot reach into the prototype', () => {
  load('a: 1', { '__proto__.polluted': '1', 'constructor.prototype.polluted': '1' });
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

const WRONG: [title: string, text: string, overrides: Record<string, string>, message: RegExp][] = [
  [
    'a key given twice',
    'a: 1\nb:\n  c: 1\n  c: 2\n',
    {},
    /^a\.yml:4:3: Expected every key once but received c again\.$/,
  ],
  ['an open bracket', 'a: 1\nb: [1, 2\n', {}, /^a\.yml:3:1: .*must be sufficiently indented/],
  ['a tab', 'a:\n\tb: 1\n', {}, /^a\.yml:2:1: /],
  ['a tag', 'a: !js 1\n', {}, /^a\.yml:1:4: Unresolved tag: !js\.$/],
  ['two documents', 'a: 1\n---\nb: 1\n', {}, /^a\.yml:2:1: .*multiple documents/],
  ['an alias of nothing', 'a: *b\n', {}, /^a\.yml: Unresolved alias .*: b\.$/],
  ['two mistakes at once', 'a: 1\na: 2\nb: 1\nb: 2\n', {}, /^a\.yml:2:1: .*\na\.yml:4:1: /],
  ['no YAML on the command line', 'a: 1', { a: '[1' }, /^Expected a YAML value for a=\[1 but received "\[1"/],
  ['an index beyond the list', 'a: [1]', { 'a.1': '2' }, /^Expected an index below 1 for .* a\.1=2 but received "1"/],
  ['a name for an index', 'a: [1]', { 'a.b': '2' }, /^Expected an index below 1 for .* a\.b=2 but received "b"/],
  ['an empty name', 'a: 1', { 'a..b': '2' }, /^Expected a name between dots .* but received "a\.\.b"/],
];
for (const [title, text, overrides, message] of WRONG) {
  test(`refused: ${title}`, async () => {
    const received = await messageOfThrown(() => load(text, overrides));
    assert.match(received, message);
    assert.throws(() => load(text, overrides), UserError);
  });
}

test('a file that is not there names its neighbour', async () => {
  writeText(folder, 'experiments/quickstart.yml', 'a: 1');
  const message = await messageOfThrown(() => loadYaml('experiments/quikstart.yml', {}, folder));
  assert.equal(
    message,
    'Expected a readable YAML file for experiments/quikstart.yml but received "no such file". Did you mean experiments/quickstart.yml?',
  );
});

test('a variant is laid over the file where it is wanted, and words over that', () => {
  const text = 'a: { b: 1 }\nc: 2\nquick:\n  a.b: 3\n  d: { e: 4 }\n';
  writeText(folder, 'a.yml', text);
  const variant = (wanted: boolean) => ({ name: 'quick', wanted });
  assert.deepEqual(loadYaml('a.yml', {}, folder, variant(false)).value, { a: { b: 1 }, c: 2 });
  const { value, locate } = loadYaml('a.yml', { c: '5' }, folder, variant(true));
  assert.deepEqual(value, { a: { b: 3 }, c: 5, d: { e: 4 } });
  assert.equal(locate(['a', 'b']), 'a.yml:4');
  assert.equal(locate(['d', 'e']), 'a.yml:5');
  assert.equal(locate(['c']), 'command line (c=5)');
  const over = loadYaml('a.yml', { 'a.b': '6' }, folder, variant(true));
  assert.deepEqual(over.value, { a: { b: 6 }, c: 2, d: { e: 4 } });
  assert.equal(over.locate(['a', 'b']), 'command line (a.b=6)');
});

test('a variant that is wanted must be there, and a mapping', async () => {
  writeText(folder, 'a.yml', 'a: 1\nquick: 2\n');
  const messageFor = (name: string, wanted: boolean) =>
    messageOfThrown(() => loadYaml('a.yml', {}, folder, { name, wanted }));
  assert.equal(
    await messageFor('quick', false),
    'a.yml:2: Expected a mapping of keys to values for quick but received 2.',
  );
  assert.match(await messageFor('slow', true), /^a\.yml:1: Expected a mapping slow .* but received none\./);
});
