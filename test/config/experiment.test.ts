import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExperiment } from '../../src/config/experiment.ts';
import { UserError } from '../../src/core/errors.ts';
import { modelConfig } from '../../src/models/config.ts';
import { EXPERIMENT, makeExperimentFolder, messageOfThrown, writeText } from './files.ts';

const folder = makeExperimentFolder();

test('defaults are filled in, at the top and inside choices', async () => {
  assert.deepEqual(await parseExperiment('x.yml', {}, folder), {
    name: 'small',
    data: { root: 'data/siim', folds: 'folds/x.csv', fold: 0, normalisation: { name: 'none' }, extra: [] },
    resolution: 64,
    model: {
      encoder: 'efficientnet-b0',
      decoder: 'unet',
      norm: 'batch',
      encoder_norm: 'batch',
      upsample: 'nearest',
      attention: 'none',
      hypercolumns: false,
      presence_head: false,
      norm_momentum: 0.99,
      drop_connect: 0,
      dropout: 0,
      recompute: false,
    },
    precision: 'float32',
    loss: [
      { name: 'bce', weight: 1, pos_weight: 1 },
      { name: 'dice', weight: 1, smooth: 2, per: 'batch' },
    ],
    optimizer: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    lr_schedule: { name: 'cosine', lr: 1e-3, min_lr: 0, warmup_updates: 0 },
    batch_size: 4,
    accumulation_steps: 1,
    epochs: 2,
    encoder_lr_factor: 1,
    freeze_encoder_epochs: 0,
    swa_epochs: 0,
    augment: [{ name: 'hflip', p: 0.5 }],
    device: 'auto',
    execution: 'graph',
    deterministic: false,
    seed: 42,
    mlflow_experiment: 'siim-pneumothorax',
    checkpoint_every: '15m',
    nan_tolerance: 3,
    keep_top_k: 0,
    tensorboard: false,
    validation_batch_size: 4,
  });
});

test('key=value words win over the file and reach into lists', async () => {
  const overrides = {
    'lr_schedule.lr': '5e-4',
    'data.fold': '2',
    'augment.0.p': '1',
    seed: '0123',
    'init.from': 'a-run',
  };
  const experiment = await parseExperiment('x.yml', overrides, folder);
  assert.equal(experiment.lr_schedule.lr, 5e-4);
  assert.equal(experiment.data.fold, 2);
  assert.deepEqual(experiment.augment, [{ name: 'hflip', p: 1 }]);
  assert.equal(experiment.seed, 123);
  assert.deepEqual(experiment.init, { from: 'a-run', checkpoint: 'best-dice' });
});

test('one loss need not be a list', async () => {
  const { loss } = await parseExperiment('x.yml', { loss: '{ name: bce }' }, folder);
  assert.deepEqual(loss, { name: 'bce', weight: 1, pos_weight: 1 });
});

test('presence alone trains no masks', async () => {
  const words = { 'model.presence_head': 'true', loss: 'presence' };
  await assert.rejects(parseExperiment('x.yml', words, folder), /Expected a loss of pixels beside presence for loss/);
  const { model } = await parseExperiment('x.yml', { ...words, loss: 'bce + 0.1*presence' }, folder);
  assert.equal(model.presence_head, true);
});

test('a sum of losses may be text', async () => {
  const { loss } = await parseExperiment('x.yml', { loss: '3*bce + dice' }, folder);
  assert.deepEqual(loss, [
    { name: 'bce', weight: 3, pos_weight: 1 },
    { name: 'dice', weight: 1, smooth: 1, per: 'batch' },
  ]);
});

/** A change of the right experiment, and the whole message that it must give. */
const WRONG: [title: string, from: string, to: string, message: string][] = [
  [
    'unknown key',
    'epochs:',
    'epoch:',
    'x.yml:2: Expected a number for epochs but it is missing.\nx.yml:16: Expected a known name for a top-level key but received "epoch". Did you mean epochs?',
  ],
  [
    'unknown key in a group',
    '  fold: 0',
    '  fold: 0\n  flod: 1',
    'x.yml:7: Expected a known name for a key of data but received "flod". Did you mean fold?',
  ],
  [
    'unknown key in a choice',
    'smooth: 2',
    'smoth: 2',
    'x.yml:12: Expected a known name for a key of loss.1 but received "smoth". Did you mean smooth?',
  ],
  [
    'key at a wrong place',
    'epochs: 2',
    'epochs: 2\nlr: 1',
    'x.yml:17: Expected a known name for a top-level key but received "lr". Did you mean lr_schedule.lr?',
  ],
  [
    'dotted key in the file',
    'epochs: 2',
    'epochs: 2\ndata.fold: 1',
    'x.yml:17: Expected a known name for a top-level key but received "data.fold". Write it nested: data: { fold: … }.',
  ],
  [
    'unknown name',
    'name: adam',
    'name: adm',
    'x.yml:13: Expected one of adam, adamw, sgd for optimizer.name but received "adm". Did you mean adam?',
  ],
  [
    'unknown word of an enum',
    'efficientnet-b0',
    'efficientnet-b9',
    `x.yml:8: Expected one of ${modelConfig.shape.encoder.options.join(', ')} for model.encoder but received "efficientnet-b9". Did you mean efficientnet-b0?`,
  ],
  [
    'text for a number',
    'batch_size: 4',
    'batch_size: "4"',
    'x.yml:15: Expected a number for batch_size but received "4".',
  ],
  [
    'text for a number that has a default',
    'epochs: 2',
    'epochs: 2\nseed: "4"',
    'x.yml:17: Expected a number for seed but received "4".',
  ],
  [
    'a word for true',
    'epochs: 2',
    'epochs: 2\ndeterministic: yes',
    'x.yml:17: Expected true or false for deterministic but received "yes".',
  ],
  [
    'a fraction of a whole number',
    'epochs: 2',
    'epochs: 3.7',
    'x.yml:16: Expected a whole number for epochs but received 3.7.',
  ],
  ['NaN', 'lr: 1.0e-3', 'lr: .nan', 'x.yml:14: Expected a number for lr_schedule.lr but received NaN.'],
  ['infinity', 'lr: 1.0e-3', 'lr: .inf', 'x.yml:14: Expected a number for lr_schedule.lr but received Infinity.'],
  ['out of range', 'p: 0.5', 'p: 1.5', 'x.yml:18: Expected a number of at most 1 for augment.0.p but received 1.5.'],
  [
    'resolution',
    'resolution: 64',
    'resolution: 100',
    'x.yml:7: Expected a multiple of 32 for resolution but received 100. The nearest are 96 and 128.',
  ],
  [
    'missing fold file',
    'folds/x.csv',
    'folds/y.csv',
    'x.yml:5: Expected a file that exists for data.folds but received "folds/y.csv". Draw folds once: npm run folds data=… out=….',
  ],
  [
    'missing data',
    'data/siim',
    'data/none',
    'x.yml:4: Expected a folder that exists for data.root but received "data/none". Download the competition there, or make a synthetic one: npm run phantom out=data/phantom.',
  ],
  [
    'a file that is a folder',
    'folds/x.csv',
    'folds',
    'x.yml:5: Expected a file that exists for data.folds but received "folds". Draw folds once: npm run folds data=… out=….',
  ],
  [
    'an average from an epoch that never comes',
    'epochs: 2',
    'epochs: 2\nswa: { from_epoch: 3 }',
    'x.yml:17: Expected at most epochs (2) for swa.from_epoch but received 3.',
  ],
  [
    'two ways of saying what is averaged',
    'epochs: 2',
    'epochs: 2\nswa_epochs: 1\nswa: { from_epoch: 1 }',
    'x.yml:17: Expected 0 beside swa for swa_epochs but received 1.',
  ],
  [
    'more averaged epochs than epochs',
    'epochs: 2',
    'epochs: 2\nswa_epochs: 3',
    'x.yml:17: Expected at most epochs (2) for swa_epochs but received 3.',
  ],
  [
    'a presence head that nothing trains',
    'encoder: efficientnet-b0 }',
    'encoder: efficientnet-b0, presence_head: true }',
    'x.yml:9: Expected a loss presence with model.presence_head for loss but received "bce + dice". Add `+ 0.1*presence`: nothing else trains the head.',
  ],
  [
    'a loss of a head that is not there',
    '  - { name: bce }',
    '  - { name: bce }\n  - { name: presence }',
    'x.yml:8: Expected true with a loss presence for model.presence_head but received false. It trains that head: set it to true.',
  ],
  [
    'nothing where a value is needed',
    'epochs: 2',
    'epochs:',
    'x.yml:16: Expected a number for epochs but it is missing.',
  ],
  [
    'a group that is none',
    'augment:\n  - {',
    'augment: {',
    'x.yml:17: Expected a list for augment but received {"name":"hflip","p":0.5}.',
  ],
  [
    'a mapping for a number that has a default',
    'epochs: 2',
    'epochs: 2\nseed: { a: 1 }',
    'x.yml:17: Expected a number for seed but received {"a":1}.',
  ],
  [
    'empty list of losses',
    'loss:\n  - { name: bce }\n  - name: dice\n    smooth: 2',
    'loss: []',
    'x.yml:9: Expected a list of at least 1 item for loss but received [].',
  ],
  [
    'a sum of losses that are none',
    'loss:\n  - { name: bce }\n  - name: dice\n    smooth: 2',
    'loss: 3*bxe + dice',
    'x.yml:9: Expected a sum, such as 3*bce + dice, of bce, dice, focal, lovasz, tversky, presence for loss but received "3*bxe + dice".',
  ],
  [
    'a weight where there is nothing to weigh',
    '  - { name: bce }',
    '  - { name: lovasz, per: batch, empty_weight: 0.5 }',
    'x.yml:10: Expected 1 with per: batch, which has no images to weigh, for loss.0.empty_weight but received 0.5.',
  ],
  [
    'a lowest rate above the highest',
    'lr: 1.0e-3',
    'lr: 1.0e-3, min_lr: 0.1',
    'x.yml:14: Expected at most lr for lr_schedule.min_lr but received 0.1.',
  ],
  [
    'momentum that is none',
    'name: adam',
    'name: sgd, momentum: 0',
    'x.yml:13: Expected false with momentum 0, which has nowhere to look ahead to, for optimizer.nesterov but it is missing.',
  ],
  [
    'name for a folder',
    'name: small',
    'name: a/b',
    'x.yml:2: Expected up to 80 letters, digits and . _ - (first a letter or digit) for name but received "a/b".',
  ],
  [
    'prototype',
    '  fold: 0',
    '  fold: 0\n  __proto__: { seed: 1 }',
    'x.yml:7: Expected one of root, folds, fold, sampler, normalisation, extra, phantom for a key of data but received "__proto__".',
  ],
];
for (const [title, from, to, message] of WRONG) {
  test(`refused with its place: ${title}`, async () => {
    assert.ok(EXPERIMENT.includes(from), `the experiment has no ${from}`);
    writeText(folder, 'wrong/x.yml', EXPERIMENT.replace(from, to));
    const received = await messageOfThrown(() => parseExperiment('wrong/x.yml', {}, folder));
    assert.equal(received.replaceAll('wrong/', ''), message);
  });
}

test('all mistakes are listed at once, in the order of their lines', async () => {
  const text = EXPERIMENT.replace('fold: 0', 'fold: -1')
    .replace('folds/x.csv', 'none.csv')
    .replace('resolution: 64', 'resolution: 65')
    .replace('name: hflip', 'name: hflop')
    .replace('lr: 1.0e-3', 'lr: 0');
  writeText(folder, 'many.yml', text);
  const message = await messageOfThrown(() => parseExperiment('many.yml', { epochs: '0', batchsize: '8' }, folder));
  assert.deepEqual(
    message.split('\n').map((line) => line.replace(/: Expected.* for (.*) but received .*/, ' $1')),
    [
      'command line (batchsize=8) a top-level key',
      'command line (epochs=0) epochs',
      'many.yml:5 data.folds',
      'many.yml:6 data.fold',
      'many.yml:7 resolution',
      'many.yml:14 lr_schedule.lr',
      'many.yml:18 augment.0.name',
    ],
  );
});

test('mistakes are the user’s', async () => {
  await assert.rejects(parseExperiment('x.yml', { epochs: '0' }, folder), UserError);
});

test('a phantom needs no files', async () => {
  const words = { 'data.phantom.images': '40', 'data.root': 'none', 'data.folds': 'none.csv' };
  const { data } = await parseExperiment('x.yml', words, folder);
  assert.deepEqual(data.phantom, { images: 40, seed: 42 });
  assert.deepEqual([data.root, data.folds], ['none', 'none.csv']);
});
