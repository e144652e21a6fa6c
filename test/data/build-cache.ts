import { openTerminal } from '../../src/core/terminal.ts';
import { ingest } from '../../src/data/ingest.ts';

/** A process of its own that a test can kill: `build-cache.ts <root> <resolution>`. */
const [root, resolution] = process.argv.slice(2);
await ingest({ root: root!, resolution: Number(resolution), workers: 2 }, openTerminal(process.stdout));
