import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sha256 } from '../../src/core/atomic-file.ts';
import { extractWheel, readWheelText } from '../../src/engine/wheel.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wheel-'));
});
after(async () => await rm(folder, { recursive: true }));

/** A wheel of one library file, whose RECORD speaks of `recorded`; packed with the mode that it has on disk. */
async function makeWheel(name: string, content: string, recorded: string, mode = 0o644): Promise<string> {
  const digest = Buffer.from(sha256(recorded), 'hex').toString('base64url');
  await writeFile(join(folder, 'content'), content);
  await chmod(join(folder, 'content'), mode);
  await writeFile(join(folder, 'record'), `lib/a.so,sha256=${digest},${recorded.length}\nx.dist-info/RECORD,,\n`);
  const script = `import zipfile,sys
z = zipfile.ZipFile(sys.argv[1], "w")
z.write(sys.argv[2], "lib/a.so"); z.write(sys.argv[2], "lib/b.so"); z.write(sys.argv[3], "x.dist-info/RECORD"); z.close()`;
  const wheel = join(folder, name);
  execFileSync('python3', ['-c', script, wheel, join(folder, 'content'), join(folder, 'record')]);
  return wheel;
}

test('wanted files are unpacked and compared with the checksums in RECORD', async () => {
  const wheel = await makeWheel('good.whl', 'library', 'library');
  const extracted = await extractWheel(wheel, join(folder, 'out'), (file) => file === 'lib/a.so');
  assert.deepEqual(extracted, { 'lib/a.so': { sha256: sha256('library'), bytes: 7 } });
  assert.equal(await readFile(join(folder, 'out', 'lib/a.so'), 'utf8'), 'library');
  await assert.rejects(readFile(join(folder, 'out', 'lib/b.so')));
});

test('what can be run in a wheel (ptxas) can be run when it is unpacked, by everybody; what cannot, cannot', async () => {
  for (const mode of [0o744, 0o644]) {
    const into = join(folder, `mode-${mode}`);
    await extractWheel(await makeWheel('mode.whl', 'library', 'library', mode), into, (file) => file === 'lib/a.so');
    const wanted = mode === 0o744 ? 0o777 & ~process.umask() : 0o666 & ~process.umask();
    assert.equal((await stat(join(into, 'lib/a.so'))).mode & 0o777, wanted);
  }
});

test('a damaged file is refused by name', async () => {
  const wheel = await makeWheel('bad.whl', 'l1brary', 'library');
  await assert.rejects(
    extractWheel(wheel, join(folder, 'bad'), (file) => file === 'lib/a.so'),
    /SHA-256 .* for lib\/a.so/,
  );
});

test('unpacking ends when it is told to, with the reason', async () => {
  const wheel = await makeWheel('stop.whl', 'library', 'library');
  const stopped = AbortSignal.abort(new Error('enough'));
  await assert.rejects(
    extractWheel(wheel, join(folder, 'stop'), () => true, stopped),
    /^Error: enough$/,
  );
});

test('a text is found by the end of its name, and its absence is said', async () => {
  const wheel = await makeWheel('text.whl', 'library', 'library');
  assert.match(await readWheelText(wheel, '.dist-info/RECORD'), /^lib\/a\.so,sha256=/);
  await assert.rejects(readWheelText(wheel, '/METADATA'), /a file …\/METADATA/);
});
