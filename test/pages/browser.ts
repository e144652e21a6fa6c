import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';

/** What a page did in a browser. */
export interface Visit {
  /** Errors and warnings of the console, and exceptions. */
  complaints: string[];
  /** What it asked for beside itself and `data:` addresses. */
  requests: string[];
  /** What a reader sees, as text. */
  text: string;
  /** How many scripts and images there are, and how many images could not be shown. */
  scripts: number;
  images: number;
  broken: number;
  /** Whether it is wider than its window. */
  overflows: boolean;
}

/** Chromium or Chrome on PATH; undefined where there is none. */
export function findBrowser(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

/**
 * Asserts that a page, given as its text, complains of nothing, asks for nothing, runs no script, does not scroll sideways and shows
 * all of its pictures, and these words as a reader sees them. Where there is no browser the test says so.
 */
export async function checkInBrowser(t: TestContext, page: string, shows: readonly string[] = []): Promise<void> {
  if (findBrowser() === undefined) return t.diagnostic('no Chromium on PATH: the page was not looked at in a browser');
  const folder = await mkdtemp(join(tmpdir(), 'page-'));
  try {
    await writeFile(join(folder, 'page.html'), page);
    const { complaints, requests, scripts, broken, overflows, text } = await visitPage(join(folder, 'page.html'));
    assert.deepEqual({ complaints, requests, scripts, broken, overflows }, NOTHING);
    for (const words of shows) assert.ok(text.includes(words), `shows ${words}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const NOTHING = { complaints: [], requests: [], scripts: 0, broken: 0, overflows: false };

/** Opens a file in a headless browser without a network of its own, and says what happened. */
export async function visitPage(file: string): Promise<Visit> {
  const profile = await mkdtemp(join(tmpdir(), 'browser-'));
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
  ];
  const child = spawn(findBrowser()!, [...flags, '--remote-debugging-pipe', `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  try {
    return await visitWith(child, pathToFileURL(file).href);
  } finally {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Message = { id?: number; method?: string; params?: Record<string, unknown>; result?: Record<string, unknown> };

/** Chrome's DevTools protocol over a pipe: JSON with a zero byte behind each message. */
async function visitWith(child: ChildProcess, address: string): Promise<Visit> {
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  const waiting = new Map<number, (result: Record<string, unknown>) => void>();
  const events: Message[] = [];
  let tellLoaded = () => {};
  const loaded = new Promise<void>((resolve) => {
    tellLoaded = resolve;
  });
  let left = '';
  output.on('data', (bytes: Buffer) => {
    const parts = (left + bytes).split('\0');
    left = parts.pop()!;
    for (const message of parts.map((part) => JSON.parse(part) as Message)) {
      if (message.id !== undefined) waiting.get(message.id)?.(message.result ?? {});
      else events.push(message);
      if (message.method === 'Page.loadEventFired') tellLoaded();
    }
  });
  let count = 0;
  const send = (method: string, params: object = {}, sessionId?: string) => {
    const id = ++count;
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise<Record<string, unknown>>((resolve) => waiting.set(id, resolve));
  };
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = (await send('Target.attachToTarget', { targetId, flatten: true })) as { sessionId: string };
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`, {}, sessionId);
  await send('Page.navigate', { url: address }, sessionId);
  await loaded;
  const { result } = await send(
    'Runtime.evaluate',
    { expression: LOOK, awaitPromise: true, returnByValue: true },
    sessionId,
  );
  return { ...(result as { value: Omit<Visit, 'complaints' | 'requests'> }).value, ...heard(events, address) };
}

/** Pictures that wait to be scrolled to are asked for at once. */
const LOOK = `(async () => {
  const images = [...document.images];
  for (const image of images) image.loading = 'eager';
  const shown = await Promise.all(images.map((image) => image.decode().then(() => true, () => false)));
  for (const details of document.querySelectorAll('details')) details.open = true;
  return {
    text: document.body.innerText,
    scripts: document.scripts.length,
    images: images.length,
    broken: shown.filter((good) => !good).length,
    overflows: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  };
})()`;

function heard(events: readonly Message[], address: string): Pick<Visit, 'complaints' | 'requests'> {
  const of = (method: string) => events.filter((event) => event.method === method).map(({ params }) => params!);
  const complaints = [
    ...of('Runtime.exceptionThrown').map(({ exceptionDetails }) => JSON.stringify(exceptionDetails)),
    ...of('Log.entryAdded').map(({ entry }) => JSON.stringify(entry)),
    ...of('Runtime.consoleAPICalled').map(({ args }) => JSON.stringify(args)),
  ];
  const urls = of('Network.requestWillBeSent').map(({ request }) => (request as { url: string }).url);
  return { complaints, requests: urls.filter((url) => url !== address && !url.startsWith('data:')) };
}
