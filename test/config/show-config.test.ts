import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { parseExperiment } from '../../src/config/experiment.ts';
import { configTable, flattenConfig, formatConfig } from '../../src/config/show-config.ts';
import { makeExperimentFolder, writeText } from './files.ts';

test('dotted keys, list items by index, nothing for undefined', () => {
  const config = { a: { b: 1, c: undefined }, d: [{ e: 'x' }, true], f: [], g: {}, h: null, i: 1e-7 };
  assert.deepEqual(flattenConfig(config), {
    'a.b': '1',
    'd.0.e': 'x',
    'd.1': 'true',
    f: '[]',
    g: '{}',
    h: 'null',
    i: '1e-7',
  });
});

test('the table lines its values up', () => {
  assert.equal(configTable({ a: 1, bcd: { e: 'x' } }), '  a      1\n  bcd.e  x');
});

test('the resolved text is an experiment that resolves to itself, word for word', async () => {
  const folder = makeExperimentFolder();
  const words = { 'data.phantom.images': '40', name: 'a.b-c', mlflow_experiment: '"0123"', 'init.from': 'null-run' };
  const experiment = await parseExperiment('x.yml', words, folder);
  const text = formatConfig(experiment);
  writeText(folder, 'resolved.yml', text);
  const again = await parseExperiment('resolved.yml', {}, folder);
  assert.deepEqual(again, experiment);
  assert.equal(formatConfig(again), text);
});

test('any values survive the way through YAML', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('0123', 'true', 'null', '1e-7', '~', 'a: b', '# c', '- d', '\n'));
  const value = fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.array(text));
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]+$/), value, { noNullPrototype: true }), (config) => {
      assert.deepEqual(parse(formatConfig(config)), config);
    }),
  );
});
