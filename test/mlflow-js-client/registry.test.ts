import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createMlflowClient } from 'mlflow-js-client';
import { registerModel } from '../../src/tracking/register-model.ts';
import { type AnsweringServer, type Reply, startAnswering } from './answering-server.ts';

const servers: AnsweringServer[] = [];
after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

interface Version {
  name: string;
  version: number;
  source: string;
  run_id: string;
  tags: { key: string; value: string }[];
}

/** A registry of one model, as MLflow keeps it. */
async function openRegistry() {
  const versions: Version[] = [];
  const aliases: Record<string, string> = {};
  const no = (code: string): Reply => ({
    status: code === 'RESOURCE_ALREADY_EXISTS' ? 400 : 404,
    body: { error_code: code },
  });
  let made = false;
  const server = await startAnswering(({ method, url, body }) => {
    const said = body === '' ? {} : JSON.parse(body);
    if (url.includes('registered-models/create')) {
      if (made) return no('RESOURCE_ALREADY_EXISTS');
      made = true;
      return { body: { registered_model: {} } };
    }
    if (url.includes('model-versions/search')) return { body: { model_versions: versions } };
    if (url.includes('model-versions/create')) {
      versions.push({ ...said, version: versions.length + 1 });
      return { body: { model_version: versions.at(-1) } };
    }
    if (url.includes('registered-models/alias') && method === 'POST') {
      aliases[said.alias] = said.version;
      return { body: {} };
    }
    if (url.includes('registered-models/alias')) {
      const found = versions.find(
        ({ version }) => String(version) === aliases[new URL(url, 'http://h').searchParams.get('alias')!],
      );
      return found === undefined ? no('RESOURCE_DOES_NOT_EXIST') : { body: { model_version: found } };
    }
    const info = { run_id: 'r', experiment_id: '1', artifact_uri: 'mlflow-artifacts:/1/r/artifacts' };
    return { body: { run: { info } } };
  });
  servers.push(server);
  return { client: createMlflowClient({ trackingUri: server.uri }), versions, aliases };
}

const entry = (sha: string, dice: number, alias = 'best-dice') => ({
  ...{ name: '512-dice', artifact_path: `checkpoints/${sha}`, alias, dice },
  tags: { 'checkpoint.sha256': sha },
});

test('each run’s checkpoint is a version once; the best is the champion, the newest has the alias', async () => {
  const { client, versions, aliases } = await openRegistry();
  await registerModel({ client, runId: 'a' }, entry('one', 0.8));
  await registerModel({ client, runId: 'a' }, entry('one', 0.8));
  assert.equal(versions.length, 1, 'told twice');
  assert.equal(versions[0]!.source, 'mlflow-artifacts:/1/r/artifacts/checkpoints/one');
  assert.deepEqual(aliases, { 'best-dice': '1', champion: '1' });
  await registerModel({ client, runId: 'b' }, entry('two', 0.7));
  await registerModel({ client, runId: 'c' }, entry('three', 0.9, 'swa'));
  assert.deepEqual(aliases, { 'best-dice': '2', champion: '3', swa: '3' });
  await registerModel({ client, runId: 'a' }, entry('one', 0.8));
  assert.deepEqual(aliases, { 'best-dice': '2', champion: '3', swa: '3' }, 'an old one told again takes nothing back');
  assert.equal((await client.getModelVersionByAlias('512-dice', 'champion'))?.version, '3');
  assert.equal(await client.getModelVersionByAlias('512-dice', 'none'), undefined);
});

test('names and aliases that the server would lose are refused before they are sent', async () => {
  const { client } = await openRegistry();
  await assert.rejects(client.ensureRegisteredModel('a/b'), RangeError);
  await assert.rejects(client.ensureRegisteredModel(''), RangeError);
  for (const alias of ['latest', 'v3', '', 'a b'])
    await assert.rejects(client.setModelAlias('m', alias, '1'), RangeError);
});
