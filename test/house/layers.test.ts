import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findWrongImports, readImports } from './layers.ts';
import { readSources } from './source-files.ts';

test('each room imports only rooms to its right', () => {
  const sources = readSources();
  assert.ok(sources.length > 50, `only ${sources.length} files found`);
  assert.deepEqual(findWrongImports(sources), []);
});

const WRONG: [path: string, text: string, why: RegExp][] = [
  ['core/x.ts', "import { y } from '../engine/y.ts';", /engine is to the left of core/],
  ['data/x.ts', "import type { Y } from '../config/y.ts';", /config is to the left of data/],
  ['predict/x.ts', "export { y } from '../train/y.ts';", /train is to the left of predict/],
  ['losses/x.ts', "import { y } from '../optim/y.ts';", /losses and optim do not know one another/],
  ['models/decoders/x.ts', "import { y } from '../../losses/y.ts';", /models and losses do not know/],
  ['engine/x.ts', "import { y } from 'mlflow-js-client';", /mlflow-js-client is to the left of engine/],
  ['pages/x.ts', "import { y } from 'mlflow-js-client';", /pages and mlflow-js-client do not know/],
  ['config/x.ts', "import '../cli.ts';", /cli.ts is to the left of config/],
  ['tracking/x.ts', "const y = await import('../submit/y.ts');", /submit is to the left of tracking/],
  ['dicom/x.ts', "new Worker(new URL('../data/worker.ts', import.meta.url));", /data is to the left of dicom/],
  ['core/x.ts', "import {\n  a,\n  b,\n} from '../data/y.ts';", /data is to the left of core/],
  ['models/x.ts', "import * as tf from '@tensorflow/tfjs';", /only engine knows TensorFlow/],
  ['mlflow-js-client/x.ts', "import { z } from 'zod';", /depends on nothing beyond Node/],
  ['utils/x.ts', "import { z } from 'zod';", /utils is no room/],
  ['train/x.ts', "import { y } from '../utils/y.ts';", /utils is no room/],
];
for (const [path, text, why] of WRONG) {
  test(`a wrong import is seen: ${path}: ${text.replaceAll('\n', ' ')}`, () => {
    const wrong = findWrongImports([{ path, text }]);
    assert.equal(wrong.length, 1);
    assert.match(wrong[0]!, why);
  });
}

const RIGHT: [path: string, text: string][] = [
  [
    'train/x.ts',
    "import { y } from '../core/y.ts';\nimport { z } from 'zod';\nimport { readFile } from 'node:fs/promises';",
  ],
  ['tracking/x.ts', "import { y } from 'mlflow-js-client';"],
  ['models/decoders/x.ts', "import { y } from '../blocks.ts';\nimport type { Tensor } from '@tensorflow/tfjs';"],
  ['engine/x.ts', "import * as tf from '@tensorflow/tfjs';"],
  ['core/x.ts', "// import { y } from '../engine/y.ts';\n/**\n * import { y } from '../engine/y.ts';\n */"],
  ['cli.ts', "import { commands } from './commands/index.ts';"],
];
for (const [path, text] of RIGHT) {
  test(`a right import passes: ${path}: ${text.replaceAll('\n', ' ')}`, () => {
    assert.deepEqual(findWrongImports([{ path, text }]), []);
  });
}

test('imports are read in each of their forms', () => {
  const text = [
    "import a from 'a';",
    "import type { B } from 'b';",
    "import { c, type D } from 'c';",
    "import 'd';",
    "export * from 'e';",
    "export type { F } from 'f';",
    "const g = await import('g');",
    "const h = 'import x from y';",
  ].join('\n');
  assert.deepEqual(
    readImports(text).map(({ from, typeOnly }) => `${from}${typeOnly ? ' (type)' : ''}`),
    ['a', 'b (type)', 'c', 'd', 'e', 'f (type)', 'g'],
  );
});
