import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ModelConfig, modelConfig } from '../../src/models/config.ts';
import { ENCODERS } from '../../src/models/encoders/names.ts';

const parse = (keys: object) => modelConfig.parse({ encoder: 'efficientnet-b0', ...keys });

const PUBLISHED: [decoder: ModelConfig['decoder'], Partial<ModelConfig>][] = [
  ['unet', { dropout: 0, upsample: 'nearest' }],
  ['unetpp', { dropout: 0, upsample: 'nearest' }],
  ['simplified-unetpp', { dropout: 0.5, upsample: 'transposed' }],
  ['fpn', { dropout: 0, upsample: 'nearest' }],
];
for (const [decoder, published] of PUBLISHED) {
  test(`what is left out is as ${decoder} is published, and what is said stays`, () => {
    const config = parse({ decoder });
    for (const [key, value] of Object.entries(published)) assert.equal(config[key as 'dropout'], value);
    const told = { dropout: 0.1, upsample: 'bilinear' };
    const { dropout, upsample } = parse({ decoder, ...told });
    assert.deepEqual({ dropout, upsample }, told);
    assert.deepEqual(Object.keys(config), Object.keys(parse({ decoder, ...told })), 'in one order');
    assert.deepEqual(modelConfig.parse(config), config, 'the resolved configuration says the same');
  });
}

for (const encoder of ENCODERS) {
  const allowed = /^efficientnet-b[0-7]$/.test(encoder);
  test(`simplified-unetpp ${allowed ? 'takes' : 'refuses'} ${encoder}`, () => {
    const result = modelConfig.safeParse({ encoder, decoder: 'simplified-unetpp' });
    assert.equal(result.success, allowed);
    assert.deepEqual(result.error?.issues.map(({ path }) => path.join('.')) ?? [], allowed ? [] : ['encoder']);
  });
}
