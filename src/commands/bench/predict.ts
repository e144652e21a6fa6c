import type { Terminal } from '../../core/terminal.ts';
import { buildModel } from '../../models/index.ts';
import { readWeights } from '../../models/weights.ts';
import { createPredictor } from '../../predict/compile-predictor.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { median, peakRssBytes, prepareStepBench, timeCalls } from './step-bench.ts';

/** `npm run bench predict [model.encoder=…] [resolution=256] [batch_size=4] …`: images predicted a second, on noise. */
export async function benchPredict(args: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const { experiment, batch, weights } = await prepareStepBench(args, terminal);
  const { model: config, resolution, seed, batch_size: batchSize } = experiment;
  const build = (side: number) => buildModel(config, side, seed);
  const options = { batchSize, resolution, tta: ['none'] as const };
  const predictor = createPredictor(build, weights ?? readWeights(build(resolution)), options, 'the bench');
  const times = timeCalls(experiment.steps, () => predictor.predict(batch));
  predictor.dispose();
  const medianMs = median(times);
  const json = {
    images_per_second: (1000 * batch.count) / medianMs,
    median_ms: medianMs,
    min_ms: Math.min(...times),
    peak_rss_bytes: peakRssBytes(),
  };
  terminal.say(`${json.images_per_second.toFixed(1)} images/s, ${medianMs.toFixed(0)} ms for ${batch.count}`);
  return { json };
}
