import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkServer, trackingOf } from '../../src/tracking/tracking.ts';
import { startAnswering } from '../mlflow-js-client/answering-server.ts';

let folder: string;
const servers: Server[] = [];
const proxies = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];
const environment = Object.fromEntries(proxies.map((name) => [name, process.env[name]]));
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'transport-'));
  for (const name of proxies) delete process.env[name];
});
after(async () => {
  for (const server of servers) server.close();
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) process.env[name] = value;
  await rm(folder, { recursive: true, force: true });
});

const settingsOf = (trackingUri: string, others: object = {}) => ({
  ...{ trackingUri, cacheDir: folder, runsDir: folder },
  ...others,
});
const experiment = JSON.stringify({ experiment: { experiment_id: '0', name: 'Default', lifecycle_stage: 'active' } });

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('a server elsewhere is asked through the proxy of the environment, this machine never', async () => {
  const asked: string[] = [];
  const proxy = createHttpServer((request, response) => {
    asked.push(request.url!);
    response.end(request.url!.endsWith('/version') ? '3.17.2' : experiment);
  });
  process.env.HTTP_PROXY = `http://127.0.0.1:${await listen(proxy)}`;
  try {
    await checkServer(trackingOf(settingsOf('http://mlflow.example.org:5000'))!);
    assert.match(asked[0]!, /^http:\/\/mlflow\.example\.org:5000\/api\/2\.0\/mlflow\/experiments\/get-by-name/);
    const own = await startAnswering(({ url }) => ({ body: url.endsWith('/version') ? '3.17.2' : experiment }));
    const before = asked.length;
    await checkServer(trackingOf(settingsOf(own.uri))!);
    await own.stop();
    assert.equal(asked.length, before);
  } finally {
    delete process.env.HTTP_PROXY;
  }
});

/** A certificate of nobody but itself, and its key; undefined where there is no openssl. */
function makeCertificate(): { cert: string; key: string } | undefined {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  const alternative = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  try {
    execFileSync('openssl', [...words, ...alternative, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { cert, key };
  } catch {
    return undefined;
  }
}

test('a certificate is checked, by the authority that the environment names or not at all', async (context) => {
  const made = makeCertificate();
  if (made === undefined) return context.skip('there is no openssl to make a certificate with');
  const [cert, key] = [await readFile(made.cert, 'utf8'), await readFile(made.key, 'utf8')];
  const answer = (request: IncomingMessage, response: ServerResponse) =>
    response.end(request.url!.endsWith('/version') ? '3.17.2' : experiment);
  const open = createHttpsServer({ cert, key }, answer);
  const uri = `https://127.0.0.1:${await listen(open)}`;
  await assert.rejects(checkServer(trackingOf(settingsOf(uri))!), /MLFLOW_TRACKING_SERVER_CERT_PATH/);
  await checkServer(trackingOf(settingsOf(uri, { trackingServerCert: made.cert }))!);
  await checkServer(trackingOf(settingsOf(uri, { trackingInsecureTls: 'true' }))!);
  const closed = createHttpsServer({ cert, key, ca: cert, requestCert: true, rejectUnauthorized: true }, answer);
  const own = `https://127.0.0.1:${await listen(closed)}`;
  const client = join(folder, 'client.pem');
  await writeFile(client, cert + key);
  await assert.rejects(checkServer(trackingOf(settingsOf(own, { trackingServerCert: made.cert }))!));
  const both = { trackingServerCert: made.cert, trackingClientCert: client };
  await checkServer(trackingOf(settingsOf(own, both))!);
  const contradicting = { trackingServerCert: made.cert, trackingInsecureTls: 'true' };
  assert.throws(() => trackingOf(settingsOf(uri, contradicting)), /MLFLOW_TRACKING_INSECURE_TLS alone/);
  assert.throws(() => trackingOf(settingsOf(uri, { trackingServerCert: join(folder, 'none') })), /in PEM/);
});

test('a 401, a 403, a page of a proxy and a server that is too old are said with what helps', async () => {
  const refused = (status: number, body: unknown) => async () => {
    const server = await startAnswering(({ url }) => (url.endsWith('/version') ? { body: '3.0.0' } : { status, body }));
    try {
      await checkServer(trackingOf(settingsOf(server.uri))!);
    } finally {
      await server.stop();
    }
  };
  await assert.rejects(refused(401, 'You are not authenticated.'), /401.*set MLFLOW_TRACKING_USERNAME and/s);
  // The very text of MLflow's basic authentication, which has no code.
  await assert.rejects(refused(403, 'Permission denied'), /ask for EDIT on the experiment/s);
  await assert.rejects(refused(403, 'Invalid Host header'), /--allowed-hosts/);
  const old = await startAnswering(({ url }) => ({ body: url.endsWith('/version') ? '1.30.0' : experiment }));
  await assert.rejects(
    checkServer(trackingOf(settingsOf(old.uri))!),
    /Expected MLflow 2\.4 or later .* but it is 1\.30\.0/,
  );
  await old.stop();
});
