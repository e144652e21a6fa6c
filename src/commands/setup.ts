import { readSettings } from '../config/settings.ts';
import { expected, UserError } from '../core/errors.ts';
import { withEngine } from '../engine/install.ts';
import { loadEngine } from '../engine/load.ts';
import type { Command } from './command.ts';

const DEVICES = ['auto', 'cpu', 'gpu'] as const;

/** `npm run setup`: bring and prove the engine now rather than on first use. */
export const setupCommand: Command = {
  name: 'setup',
  summary: 'bring TensorFlow’s library and compile its binding',
  usage: '[device=auto|cpu|gpu]',
  keys: { device: 'auto (default): the CUDA build where there is an NVIDIA driver; cpu; gpu' },
  overrides: false,
  run: async ({ values, cwd, signal }, terminal) => {
    const device = DEVICES.find((name) => name === (values.device ?? 'auto'));
    if (device === undefined) throw new UserError(expected(DEVICES.join(', '), 'device', values.device));
    const { cacheDir } = await readSettings(cwd);
    await withEngine({ device, cacheDir, verify: true, signal }, terminal, async () => {});
    const engine = await loadEngine({ device, cacheDir, deterministic: false, signal }, terminal);
    terminal.say(`TensorFlow ${engine.tensorflow} computes on the ${engine.device}; every file has its checksum.`);
    terminal.say(`library      ${engine.library}`);
    terminal.say('Next: npm run exp experiments/quickstart.yml');
    return { json: { ...engine } };
  },
};
