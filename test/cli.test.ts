import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { commands } from '../src/commands/index.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const TEST_COMMANDS = fileURLToPath(new URL('cli-commands.ts', import.meta.url));

function run(file: string, words: string[], cwd = '/elsewhere') {
  return execa('node', ['--import', 'tsx', file, ...words], { reject: false, env: { INIT_CWD: cwd }, timeout: 60_000 });
}

test('words and key=value words reach the command, with where the user stands', async () => {
  const words = ['echo', 'a.yml', 'b=1', 'data/c=2.yml', 'lr.x=a=b', 'b=3', 'json=true'];
  const { stdout, stderr, exitCode } = await run(TEST_COMMANDS, words);
  assert.equal(exitCode, 0);
  assert.deepEqual(JSON.parse(stdout), {
    words: ['a.yml', 'data/c=2.yml'],
    values: { b: '3', 'lr.x': 'a=b' },
    cwd: '/elsewhere',
  });
  assert.match(stderr, /a line for a person\na line that a library prints/);
});

test('without json=true, a person reads stdout', async () => {
  const { stdout } = await run(TEST_COMMANDS, ['echo', 'a.yml']);
  assert.equal(stdout, 'a line for a person\na line that a library prints');
});

const EXITS: [words: string[], code: number, said: RegExp][] = [
  [['skips'], 3, /^$/],
  [['mistake'], 2, /^Expected this for that but received nothing\.$/],
  [['bug'], 1, /^Error: A bug\.\n +at [\s\S]*\[cause\]: Error: Its cause\./],
  [['stray'], 1, /^Error: A stray bug\.\n +at /],
  [['echo'], 2, /^Expected <file> for echo but received nothing\. Usage: npm run echo <file> \[more …\]$/],
  [['none', 'a', 'b'], 2, /^Expected at most 1 word for none but received \["a","b"\]\. Usage: /],
  [['none', 'uot=1'], 2, /^Expected one of out, json for a key of none but received "uot"\. Did you mean out\?$/],
  [['none', '--out=x'], 2, /^Expected key=value .* received "--out=x"\. .*npm keeps flags for itself: out=x$/],
  [['none', 'json=maybe'], 2, /^Expected true or false for json but received "maybe"\.$/],
  [['eco', 'x'], 2, /^Expected one of echo, none, .* received "eco"\. Did you mean echo\?$/],
];
for (const [words, code, said] of EXITS) {
  test(`exit ${code}: ${words.join(' ')}`, async () => {
    const { stdout, stderr, exitCode } = await run(TEST_COMMANDS, words);
    assert.equal(exitCode, code);
    assert.equal(stdout, '');
    assert.match(stderr, said);
  });
}

for (const [words, code, message] of [
  [['mistake', 'json=true'], 2, 'Expected this for that but received nothing.'],
  [['bug', 'json=true'], 1, 'A bug.'],
  [['stray', 'json=true'], 1, 'A stray bug.'],
] as const) {
  test(`a failure with json=true is one object too: ${words[0]}`, async () => {
    const { stdout, stderr, exitCode } = await run(TEST_COMMANDS, [...words]);
    assert.equal(exitCode, code);
    assert.deepEqual(JSON.parse(stdout), { error: { message, exit_code: code } });
    assert.ok(stderr.includes(message));
  });
}

/** Starts a command, sends the signals once it says that it waits, and returns how it ended and what it said. */
async function interrupt(words: string[], signals: NodeJS.Signals[], pause = 0) {
  const child = spawn('node', ['--import', 'tsx', TEST_COMMANDS, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const waits = new Promise<void>((resolve) => {
    const hear = (text: Buffer) => {
      said += text;
      if (said.includes('waiting')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
  });
  const ended = once(child, 'close');
  await waits;
  for (const [i, signal] of signals.entries()) {
    if (i > 0) await sleep(pause);
    child.kill(signal);
  }
  const [code] = await ended;
  return { code, said };
}

test('Ctrl-C lets the command save, and exits with 130', async () => {
  assert.deepEqual(await interrupt(['wait'], ['SIGINT']), { code: 130, said: 'waiting\nsaved\n' });
});

test('SIGTERM lets the command save, and exits with 143', async () => {
  assert.deepEqual(await interrupt(['wait'], ['SIGTERM']), { code: 143, said: 'waiting\nsaved\n' });
});

test('a command may throw what its signal was aborted with', async () => {
  const { code, said } = await interrupt(['throws'], ['SIGINT']);
  assert.deepEqual({ code, said }, { code: 130, said: 'waiting\nsaved\nStopped by SIGINT.\n' });
});

test('one Ctrl-C that comes twice, as npm sends it, is one', async () => {
  assert.deepEqual(await interrupt(['wait'], ['SIGINT', 'SIGINT']), { code: 130, said: 'waiting\nsaved\n' });
});

test('a second Ctrl-C does not wait', async () => {
  assert.deepEqual(await interrupt(['deaf'], ['SIGINT', 'SIGINT'], 1200), { code: 130, said: 'waiting\n' });
});

test('help lists every command and loads none, and shows one by either order of words', async () => {
  const { stdout, exitCode } = await run(CLI, ['help']);
  assert.equal(exitCode, 0);
  for (const { name, summary } of commands) assert.match(stdout, new RegExp(`^  ${name} +${summary}$`, 'm'));
  const [one, other] = await Promise.all([run(CLI, ['help', 'folds']), run(CLI, ['folds', 'help'])]);
  assert.match(one.stdout, /^npm run folds /);
  assert.equal(one.stdout, other.stdout);
});

test('help with json=true is one object', async () => {
  const { stdout } = await run(CLI, ['help', 'json=true']);
  assert.deepEqual(JSON.parse(stdout), { commands: commands.map(({ name, summary }) => ({ name, summary })) });
});

test('an unknown command ends with 2 and the nearest name', async () => {
  const { stdout, exitCode } = await run(CLI, ['submitt', 'json=true']);
  assert.equal(exitCode, 2);
  assert.match(JSON.parse(stdout).error.message, /received "submitt"\. Did you mean submit\?$/);
});
