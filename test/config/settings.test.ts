import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSettings } from '../../src/config/settings.ts';

test('an empty environment gives the defaults', async () => {
  assert.deepEqual(await readSettings('/here', {}), {
    cacheDir: join(homedir(), '.cache/pneumothorax-harness'),
    runsDir: '/here/runs',
  });
});

test('the environment is read as it stands; an empty variable is unset', async () => {
  const environment = {
    MLFLOW_TRACKING_URI: 'https://mlflow.example.org:5000/base',
    MLFLOW_TRACKING_USERNAME: '007',
    MLFLOW_TRACKING_PASSWORD: 'true',
    MLFLOW_TRACKING_TOKEN: '',
    XDG_CACHE_HOME: '/cache',
    PNEUMOTHORAX_RUNS: 'elsewhere',
    PNEUMOTHORAX_LOADER_WORKERS: '12',
  };
  assert.deepEqual(await readSettings('/here', environment), {
    trackingUri: 'https://mlflow.example.org:5000/base',
    trackingUsername: '007',
    trackingPassword: 'true',
    cacheDir: '/cache/pneumothorax-harness',
    runsDir: '/here/elsewhere',
    loaderWorkers: 12,
  });
  const { cacheDir } = await readSettings('/here', { ...environment, PNEUMOTHORAX_CACHE: 'own' });
  assert.equal(cacheDir, '/here/own');
});

test('a wrong value names its variable', async () => {
  await assert.rejects(readSettings('/here', { MLFLOW_TRACKING_URI: './mlruns' }), {
    name: 'UserError',
    message:
      'environment (MLFLOW_TRACKING_URI): Expected an http or https address for trackingUri but received "./mlruns".',
  });
});

test('a number of threads is a whole one', async () => {
  for (const wrong of ['0', '-1', '2.5', 'two', '1e3', '100']) {
    await assert.rejects(
      readSettings('/here', { PNEUMOTHORAX_LOADER_WORKERS: wrong }),
      /environment \(PNEUMOTHORAX_LOADER_WORKERS\): Expected a whole number from 1 to 99 for loaderWorkers/,
    );
  }
});
