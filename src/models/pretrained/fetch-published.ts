import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asideOf, syncDirectory } from '../../core/atomic-file.ts';
import { messageOf, UserError } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import { type PublishedFile, publishedPath } from './registry.ts';

/** Whether a published file is on this machine with the checksum of its publisher. */
export type PublishedState = 'whole' | 'damaged' | 'missing';

const MEGABYTE = 1e6;

/** Looks for a published file and compares it with its publisher's checksum. */
export async function checkPublished(file: PublishedFile, cacheDir: string): Promise<PublishedState> {
  const path = publishedPath(file, cacheDir);
  if (!existsSync(path)) return 'missing';
  const hash = createHash(file.checksum.algorithm);
  await pipeline(createReadStream(path), hash);
  return fits(file, hash) ? 'whole' : 'damaged';
}

/**
 * Downloads a published file, compares it with its publisher's checksum and only then puts it in its place.
 * Throws UserError where the address does not answer or answers something else, with the address and where a file that was
 * brought by other means belongs.
 */
export async function fetchPublished(
  file: PublishedFile,
  { cacheDir, signal }: { cacheDir: string; signal?: AbortSignal },
  terminal: Terminal,
): Promise<string> {
  const path = publishedPath(file, cacheDir);
  const aside = asideOf(path);
  const hash = createHash(file.checksum.algorithm);
  await mkdir(dirname(path), { recursive: true });
  try {
    await download(file, aside, hash, signal, terminal);
    if (!fits(file, hash)) {
      throw new Error(`its ${file.checksum.algorithm} is not ${file.checksum.digits}, as its publisher says.`);
    }
    await syncDirectory(aside);
    await rename(aside, path);
    await syncDirectory(dirname(path));
    return path;
  } catch (error) {
    signal?.throwIfAborted();
    throw new UserError(
      `Expected the weights of ${file.encoder} from ${file.address} but ${reasonOf(error)}\n` +
        `Bring the file by other means, put it at ${path}, and see \`npm run weights\`.`,
      { cause: error },
    );
  } finally {
    await rm(aside, { force: true });
  }
}

async function download(
  { address, encoder }: PublishedFile,
  into: string,
  hash: Hash,
  signal: AbortSignal | undefined,
  terminal: Terminal,
): Promise<void> {
  // As it is: a length of compressed bytes could not be compared with what comes out.
  const headers = { 'accept-encoding': 'identity' };
  const answer = await fetch(address, { headers, ...(signal === undefined ? {} : { signal }) });
  if (!answer.ok || answer.body === null) throw new Error(`it answered ${answer.status} ${answer.statusText}.`);
  const bytes = Number(answer.headers.get('content-length') ?? 0);
  const bar = terminal.progress(`${encoder}, MB`, Math.ceil(bytes / MEGABYTE));
  let [received, shown] = [0, 0];
  const source = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
  source.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    received += chunk.length;
    const megabytes = Math.floor(received / MEGABYTE);
    if (megabytes > shown) bar.advance(megabytes - shown);
    shown = Math.max(shown, megabytes);
  });
  try {
    await pipeline(source, createWriteStream(into, { flags: 'wx' }));
  } finally {
    bar.stop();
  }
  if (bytes > 0 && received !== bytes) throw new Error(`it sent ${received} of ${bytes} bytes.`);
}

function fits({ checksum: { digits } }: PublishedFile, hash: Hash): boolean {
  return hash.digest('hex').startsWith(digits);
}

/** What Node's fetch says is that it failed; why is in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const said = cause === undefined ? messageOf(error) : `it cannot be reached: ${messageOf(cause)}`;
  return said.endsWith('.') ? said : `${said}.`;
}
