import type { ComparedContender, ComparedSet, Comparison } from './comparison.ts';
import { findDisagreements, seenContenders } from './disagreements.ts';

/** A comparison for scripts (see docs/reference/files.md); NaN becomes null. */
export function comparisonJson(comparison: Comparison, images: number) {
  const { metric, runs, parameters, sets } = comparison;
  return {
    format: 1,
    sorted_by: metric,
    runs: runs.map(({ run, checkpoint, metrics, dice }) => ({
      run_id: run.run_id,
      name: run.name,
      status: run.status,
      checkpoint: checkpoint ?? null,
      epochs: run.record.epochs.at(-1)?.epoch ?? 0,
      metrics,
      dice: dice ?? null,
    })),
    parameters: Object.fromEntries(parameters.map(({ key, values }) => [key, values.map((value) => value ?? null)])),
    sets: sets.map((set) => setJson(set, images)),
  };
}

function setJson(set: ComparedSet, images: number) {
  const { ids, positive, patients, contenders, baseline } = set;
  return {
    images: ids.length,
    positives: positive.filter(Boolean).length,
    patients: patients.count,
    patients_from: patients.from,
    baseline: baseline.label,
    contenders: contenders.map(contenderJson),
    disagreements: findDisagreements(set, images).map(({ id, positive: isPositive, dice }) => ({
      image_id: id,
      positive: isPositive,
      dice: Object.fromEntries(seenContenders(set).map(({ label }, place) => [label, dice[place]])),
    })),
  };
}

function contenderJson({ label, runs, difference, falseAlarms, missed, spread }: ComparedContender) {
  return {
    label,
    run_ids: runs.map(({ run }) => run.run_id),
    false_alarms: falseAlarms,
    missed,
    difference: difference ?? null,
    ...(spread === undefined ? {} : { spread }),
  };
}
