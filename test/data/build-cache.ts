import { openTerminal } from '../../src/core/terminal.ts';
import { ingest } from '../../src/data/ingest.ts';
import { ensurePixelCache } from '../../src/data/pixel-cache.ts';
import { NORMALISATION_NONE } from '../../src/dicom/normalise.ts';

/**
 * A process of its own that a test can kill: `build-cache.ts <root> <resolution> <once|twice>`, where `once` shrinks
 * pictures while they are inspected and `twice` has the cache made after that, as a run does that finds none.
 */
const [root = '', side, reads] = process.argv.slice(2);
const terminal = openTerminal(process.stdout);
const [resolution, workers] = [Number(side), 2];
const { rows } = await ingest({ root, workers, ...(reads === 'once' ? { resolution } : {}) }, terminal);
if (reads === 'twice') {
  const content = { root, resolution, normalisation: NORMALISATION_NONE, sources: rows };
  await ensurePixelCache({ ...content, verify: 'size', workers }, terminal);
}
