import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trackingOf } from '../../src/tracking/tracking.ts';

const folders = { cacheDir: '/cache', runsDir: '/runs' };

test('the server is that of MLFLOW_TRACKING_URI, with its credentials and never showing them', () => {
  assert.equal(trackingOf(folders), undefined);
  const of = (settings: object) => trackingOf({ ...folders, trackingUri: 'https://mlflow.example/team/', ...settings });
  const uri = 'https://mlflow.example/team';
  const auth = { username: 'ann', password: 'secret' };
  assert.deepEqual(of({}), { uri });
  assert.deepEqual(of({ trackingToken: 'abc' }), { uri, auth: { token: 'abc' } });
  assert.deepEqual(of({ trackingUsername: 'ann', trackingPassword: 'secret', trackingToken: 'abc' }), { uri, auth });
  assert.deepEqual(of({ trackingUri: 'https://ann:s%65cret@mlflow.example/team' }), { uri, auth });
});
