import assert from 'node:assert/strict';
import { dirname, join } from 'node:path/posix';
import { test } from 'node:test';
import { readImports } from '../house/layers.ts';
import { readSources } from '../house/source-files.ts';

const SOURCES = new Map(readSources().map(({ path, text }) => [path, text]));

/** The packages that a module loads before it does anything, through all the modules that it imports. */
function packagesOf(path: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(path)) return packages;
  seen.add(path);
  const atOnce = SOURCES.get(path)!.replaceAll(/\b(import|new URL)\(/g, 'later(');
  for (const { from, typeOnly } of readImports(atOnce)) {
    if (typeOnly || from.startsWith('node:')) continue;
    if (!from.startsWith('.')) packages.add(from);
    else for (const name of packagesOf(join(dirname(path), from), seen)) packages.add(name);
  }
  return packages;
}

// Each takes a fifth of a second or more of every thread, which is as long as some thirty files take.
for (const worker of ['data/inspect-worker.ts', 'data/cache-worker.ts', 'data/png-worker.ts']) {
  test(`${worker} starts with the packages that every file needs and no others`, () => {
    assert.deepEqual([...packagesOf(worker)].sort(), ['dicom-parser', 'sharp', 'yauzl']);
  });
}
