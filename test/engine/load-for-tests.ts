import { readSettings } from '../../src/config/settings.ts';
import { openTerminal } from '../../src/core/terminal.ts';
import { loadEngine } from '../../src/engine/load.ts';

/** TensorFlow on the processor with one thread within an operation, installed into the user's cache where it is absent. */
export async function loadForTests() {
  const { cacheDir } = await readSettings();
  return await loadEngine({ device: 'cpu', deterministic: true, cacheDir }, openTerminal(process.stderr));
}
