import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { UserError } from '../../../src/core/errors.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';
import { ENCODERS } from '../../../src/models/encoders/names.ts';
import { checkPublished, fetchPublished } from '../../../src/models/pretrained/fetch-published.ts';
import {
  findPublished,
  PUBLISHED_FILES,
  type PublishedFile,
  publishedPath,
} from '../../../src/models/pretrained/registry.ts';

const CONTENT = Buffer.from('weights '.repeat(1000));
const MD5 = createHash('md5').update(CONTENT).digest('hex');
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

let cacheDir: string;
let server: Server;
let answer: RequestListener;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'published-'));
  answer = (_, response) => response.end(CONTENT);
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cacheDir, { recursive: true });
});

function makeFile(checksum: PublishedFile['checksum']): PublishedFile {
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}/models/some_weights.h5`;
  return { encoder: 'resnet18', address, checksum, publisher: 'the test' };
}

const fetchIt = (file: PublishedFile, signal?: AbortSignal) =>
  fetchPublished(file, { cacheDir, ...(signal === undefined ? {} : { signal }) }, silentTerminal);

for (const checksum of [
  { algorithm: 'md5', digits: MD5 },
  { algorithm: 'sha256', digits: SHA256.slice(0, 8) },
] as const) {
  test(`a file is brought into its place when its ${checksum.algorithm} is its publisher’s`, async () => {
    const file = makeFile(checksum);
    assert.equal(await checkPublished(file, cacheDir), 'missing');
    const path = await fetchIt(file);
    assert.equal(path, join(cacheDir, 'weights', 'some_weights.h5'));
    assert.deepEqual(await readFile(path), CONTENT);
    assert.equal(await checkPublished(file, cacheDir), 'whole');
    await writeFile(path, CONTENT.subarray(1));
    assert.equal(await checkPublished(file, cacheDir), 'damaged');
    await fetchIt(file);
    assert.equal(await checkPublished(file, cacheDir), 'whole', 'a damaged file is replaced');
  });
}

const FAILURES: [what: string, answer: RequestListener, why: RegExp][] = [
  ['other bytes', (_, response) => response.end('an error page'), /its sha256 is not/],
  ['an error', (_, response) => response.writeHead(403).end('no'), /it answered 403 Forbidden/],
  ['half of it', (_, response) => void response.writeHead(200, { 'content-length': '8000' }).end('half'), /./],
  ['a broken connection', (request) => request.socket.destroy(), /it cannot be reached/],
];
for (const [what, wrong, why] of FAILURES) {
  test(`${what} is refused with the address and the file’s place, and nothing is left`, async () => {
    answer = wrong;
    const file = makeFile({ algorithm: 'sha256', digits: SHA256.slice(0, 8) });
    await assert.rejects(fetchIt(file), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, why);
      for (const told of [file.address, publishedPath(file, cacheDir)]) assert.ok(error.message.includes(told));
      return true;
    });
    assert.deepEqual(await readdir(dirname(publishedPath(file, cacheDir))), []);
  });
}

test('a download that is stopped ends as it was asked to, and nothing is left', async () => {
  const controller = new AbortController();
  answer = (_, response) => {
    response.write(CONTENT.subarray(0, 100));
    setImmediate(() => controller.abort(new Error('stopped')));
  };
  const file = makeFile({ algorithm: 'sha256', digits: SHA256.slice(0, 8) });
  await assert.rejects(fetchIt(file, controller.signal), /stopped/);
  assert.deepEqual(await readdir(join(cacheDir, 'weights')), []);
});

test('every encoder has one published file, with a checksum of its publisher’s', () => {
  assert.deepEqual(PUBLISHED_FILES.map(({ encoder }) => encoder).sort(), [...ENCODERS].sort());
  for (const encoder of ENCODERS) {
    const { address, checksum } = findPublished(encoder);
    assert.match(address, /^https:\/\/.*\.(h5|pth)$/);
    assert.match(checksum.digits, checksum.algorithm === 'md5' ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{8}$/);
  }
  assert.equal(new Set(PUBLISHED_FILES.map(({ address }) => address)).size, ENCODERS.length);
});
