import { basename, dirname } from 'node:path';
import { isAverage } from '../models/checkpoint.ts';
import { predictionsPath } from '../predict/predictor.ts';
import { NAME_TAG } from '../tracking/journal.ts';
import type { Training } from './fit.ts';
import { manifestPath, type SavedCheckpoint, type ValidationMetrics } from './keep-checkpoints.ts';
import { logCurves } from './log-curves.ts';
import { logOverlays } from './log-overlays.ts';

/**
 * The last point of every `val/*` series is the chosen checkpoint's; its pictures, its curves and its manifest are logged, and it
 * becomes a version of the registered model of the experiment's name.
 */
export async function logChosen(training: Training, chosen: SavedCheckpoint): Promise<void> {
  const { runDir, journal, experiment } = training;
  journal.metrics(chosen.metrics satisfies ValidationMetrics, experiment.epochs + 1);
  const checkpoint = { 'checkpoint.id': chosen.id, 'checkpoint.sha256': chosen.sha256 };
  // MLflow's table has no column of metrics unless somebody asks for one: the name says the figure too.
  journal.tags({ ...checkpoint, [NAME_TAG]: `${experiment.name} · Dice ${chosen.metrics['val/dice'].toFixed(4)}` });
  const manifest = manifestPath(chosen.id);
  journal.artifact(manifest, manifest);
  journal.model({
    name: experiment.name,
    artifact_path: dirname(manifest),
    alias: isAverage(chosen.id) ? chosen.id : 'best-dice',
    dice: chosen.metrics['val/dice'],
    tags: { ...checkpoint, run_id: basename(runDir) },
  });
  await logOverlays(training, chosen.id, experiment.epochs + 1);
  await logCurves(training, predictionsPath(runDir, chosen.id, 'oof', ['none']));
}
