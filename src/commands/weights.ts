import { didYouMean } from '../config/nearest.ts';
import { readSettings } from '../config/settings.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { checkPublished, fetchPublished } from '../models/pretrained/fetch-published.ts';
import { PUBLISHED_FILES, type PublishedFile, publishedPath } from '../models/pretrained/registry.ts';
import type { Command, CommandResult } from './command.ts';

/** `npm run weights [list]`, `npm run weights fetch <encoder>…`: published ImageNet weights on this machine. */
export const weightsCommand: Command = {
  name: 'weights',
  summary: 'list published ImageNet weights, or fetch an encoder’s',
  usage: '[list | fetch] [encoder…]',
  keys: {},
  overrides: false,
  run: async ({ words, cwd, signal }, terminal) => {
    const { cacheDir } = await readSettings(cwd);
    const [action = 'list', ...encoders] = words;
    if (action === 'list') return await list(selectFiles(encoders), cacheDir, terminal);
    if (action !== 'fetch') throw new UserError(expected('list or fetch', 'npm run weights', action));
    if (encoders.length === 0) {
      const next = 'For example: npm run weights fetch efficientnet-b4';
      throw new UserError(`Expected an encoder for npm run weights fetch but received nothing. ${next}`);
    }
    return await fetchAll(selectFiles(encoders), { cacheDir, signal }, terminal);
  },
};

/** The files of these encoders; of all where none is named. */
function selectFiles(encoders: readonly string[]): readonly PublishedFile[] {
  if (encoders.length === 0) return PUBLISHED_FILES;
  const names = PUBLISHED_FILES.map(({ encoder }) => encoder);
  return encoders.map((name) => {
    const found = PUBLISHED_FILES.find(({ encoder }) => encoder === name);
    if (found !== undefined) return found;
    throw new UserError(expected(`one of ${names.join(', ')}`, 'an encoder', name, didYouMean(name, names)));
  });
}

async function list(files: readonly PublishedFile[], cacheDir: string, terminal: Terminal): Promise<CommandResult> {
  const rows = [];
  for (const file of files) {
    const { encoder, address, checksum, publisher } = file;
    const state = await checkPublished(file, cacheDir);
    const path = publishedPath(file, cacheDir);
    rows.push({ encoder, publisher, state, address, path, [checksum.algorithm]: checksum.digits });
    terminal.say(`${encoder.padEnd(20)} ${state.padEnd(8)} ${publisher.padEnd(19)} ${address}`);
  }
  terminal.say('Next: npm run weights fetch <encoder>, then init={encoder: imagenet} in an experiment');
  return { json: { files: rows } };
}

async function fetchAll(
  files: readonly PublishedFile[],
  options: { cacheDir: string; signal: AbortSignal },
  terminal: Terminal,
): Promise<CommandResult> {
  const fetched: Record<string, string> = {};
  for (const file of files) {
    const there = (await checkPublished(file, options.cacheDir)) === 'whole';
    const path = there ? publishedPath(file, options.cacheDir) : await fetchPublished(file, options, terminal);
    fetched[file.encoder] = path;
    const { algorithm, digits } = file.checksum;
    terminal.say(`${file.encoder.padEnd(20)} ${there ? 'was there' : 'fetched'}: ${path} (${algorithm} ${digits})`);
  }
  terminal.say('Next: init={encoder: imagenet} in an experiment');
  return { json: { fetched } };
}
