import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { augmentConfig } from '../../src/augment/index.ts';
import { commands } from '../../src/commands/index.ts';
import { keysOf } from '../../src/config/describe-problem.ts';
import { experimentKeys, parseExperiment } from '../../src/config/experiment.ts';
import { jobsConfig } from '../../src/config/jobs.ts';
import { listKeys } from '../../src/config/keys.ts';
import { settingsKeys } from '../../src/config/settings.ts';
import { parseSweep, sweepKeys } from '../../src/config/sweep.ts';
import { lossConfig } from '../../src/losses/index.ts';
import { optimizerConfig, scheduleConfig } from '../../src/optim/index.ts';
import { PROJECT, readSources } from './source-files.ts';

test('no source file is longer than 250 lines', () => {
  const long = readSources().filter(({ text }) => text.split('\n').length > 251);
  assert.deepEqual(
    long.map(({ path }) => path),
    [],
  );
});

test('every command has an npm script of its name, and every script that calls the harness a command', () => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const called = Object.entries(scripts).filter(([, line]) => line.includes('src/cli.ts'));
  assert.deepEqual(called.map(([name]) => name).sort(), commands.map(({ name }) => name).sort());
  // Without exec, a signal to npm ends the shell between and leaves the run behind.
  for (const [name, line] of called) assert.equal(line, `exec node --import tsx src/cli.ts ${name}`);
});

for (const entry of commands) {
  test(`the command ${entry.name} is what the list says of it`, async () => {
    const command = await entry.load();
    assert.equal(command.name, entry.name);
    assert.equal(command.summary, entry.summary);
    assert.doesNotMatch(command.usage, /npm run|\.\.\./, 'usage is the words after the name; … for any number');
  });
}

for (const name of readdirSync(join(PROJECT, 'experiments')).filter((file) => /\.ya?ml$/.test(file))) {
  test(`experiments/${name} is an experiment`, async () => {
    const file = `experiments/${name}`;
    // A phantom stands in for the data that is not there.
    const experiment = await parseExperiment(file, { 'data.phantom': '{ images: 100 }' }, PROJECT);
    assert.equal(`${experiment.name}.yml`, name, 'a run is found by the name of its file');
    const text = readFileSync(join(PROJECT, file), 'utf8');
    assert.match(text, new RegExp(`npm run exp ${file}`));
    if (!text.includes('\nquick:')) return;
    const quick = await parseExperiment(file, { quick: 'true' }, PROJECT);
    assert.ok(quick.epochs <= 3 && quick.resolution <= 160 && quick.data.phantom !== undefined, 'quick is quick');
  });
}

test('the reference names every key and every choice of an experiment', () => {
  const reference = readFileSync(join(PROJECT, 'docs/reference/experiment.md'), 'utf8');
  const choices = [lossConfig, optimizerConfig, scheduleConfig, augmentConfig].flatMap((union) =>
    union.options.flatMap((option) => [...option.shape.name.values]),
  );
  const keys = listKeys(experimentKeys).flatMap(({ path, key }) => [
    path.join('.'),
    ...(key.schema instanceof z.ZodType ? keysOf(key.schema) : keysOf(lossConfig)),
  ]);
  const inner = augmentConfig.options.flatMap((option) => Object.keys(option.shape));
  const unnamed = [...choices, ...keys, ...inner].filter((word) => !reference.includes(`\`${word}\``));
  assert.deepEqual(unnamed, []);
});

test('the reference names every command and every machine setting', () => {
  const reference = readFileSync(join(PROJECT, 'docs/reference/commands.md'), 'utf8');
  for (const { name } of commands) assert.match(reference, new RegExp(`^\\| \`${name}\\b`, 'm'));
  for (const { key } of listKeys(settingsKeys)) assert.ok(reference.includes(`\`${key.env}\``), key.env);
});

for (const name of readdirSync(join(PROJECT, 'experiments/sweeps'))) {
  test(`experiments/sweeps/${name} is a sweep`, async () => {
    const sweep = await parseSweep(`experiments/sweeps/${name}`, {}, PROJECT);
    for (const file of sweep.base) assert.ok(existsSync(join(PROJECT, file)), file);
    assert.match(
      readFileSync(join(PROJECT, 'experiments/sweeps', name), 'utf8'),
      new RegExp(`npm run sweep experiments/sweeps/${name}`),
    );
  });
}

test('the reference names every key of a sweep and of its jobs', () => {
  const reference = readFileSync(join(PROJECT, 'docs/reference/sweep.md'), 'utf8');
  const jobs = ['local', 'ray', 'slurm'].flatMap((executor) => keysOf(jobsConfig({ executor })));
  const keys = [...Object.keys(sweepKeys), ...jobs];
  assert.deepEqual(
    keys.filter((key) => !reference.includes(`\`${key}\``)),
    [],
  );
  assert.ok(jobs.length > 10);
});
