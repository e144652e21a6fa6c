import type { Settings } from '../config/settings.ts';
import type { Sweep } from '../config/sweep.ts';
import type { Terminal } from '../core/terminal.ts';
import { estimateSweep, timeKey } from '../jobs/estimate-sweep.ts';
import type { CheckedUnit } from '../jobs/plan-sweep.ts';
import { dryRun, duration } from '../train/dry-run.ts';

/** Lists a sweep's units and says how long they take: a step is measured here for each kind of unit whose steps differ. */
export async function estimate(
  { halving, jobs }: Sweep,
  units: readonly CheckedUnit[],
  { atOnce, ...context }: { cwd: string; settings: Settings; signal: AbortSignal; atOnce: number },
  terminal: Terminal,
): Promise<Record<string, unknown>> {
  const costs = new Map<string, { epoch: number; start: number }>();
  for (const unit of units) {
    const key = timeKey(unit.experiment);
    if (costs.has(key)) continue;
    const earlier = new Set(unit.after === undefined ? [] : [unit.experiment.init!.from!]);
    const { epoch_s: epoch, total_s } = await dryRun(unit.experiment, { ...context, earlier }, terminal);
    costs.set(key, { epoch, start: Math.max(0, total_s - epoch * unit.experiment.epochs) });
  }
  const costOf = ({ experiment }: CheckedUnit) => costs.get(timeKey(experiment))!;
  const epochSeconds = (unit: CheckedUnit) => costOf(unit).epoch;
  const startSeconds = (unit: CheckedUnit) => costOf(unit).start;
  const whole = estimateSweep(units, epochSeconds, { halving, atOnce, startSeconds });
  const secondsOf = (unit: CheckedUnit) => unit.experiment.epochs * epochSeconds(unit) + startSeconds(unit);
  terminal.say(`\n${units.length} units:`);
  for (const unit of units) {
    const { epochs } = unit.experiment;
    const changes = Object.entries(unit.changes).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    terminal.say(`  ${unit.id}  ${epochs} epochs, ${duration(secondsOf(unit))}  ${unit.file} ${changes.join(' ')}`);
  }
  terminal.say(`one after the other    ${duration(whole.total_s)}`);
  if (halving !== undefined)
    terminal.say(`with halving           ${duration(whole.halved_s)}, where it stops all that it may`);
  terminal.say(
    `${String(atOnce).padStart(4)} at once           ${duration(whole.wall_s)}, where they do not slow one another down`,
  );
  if (jobs.executor !== 'local') terminal.say(`Measured on this machine, not on ${jobs.executor}'s nodes.`);
  terminal.say('\nNext: the same command without dry_run=true.');
  const shown = units.map((unit) => ({
    unit: unit.id,
    trial: unit.trial,
    epochs: unit.experiment.epochs,
    seconds: secondsOf(unit),
  }));
  return { units: shown, ...whole };
}
