import { readRun } from '../tracking/runs.ts';
import { halve } from './halving.ts';
import type { RankedTrial } from './sweep-events.ts';
import type { PlannedUnit } from './sweep-plan.ts';
import { isOver } from './sweep-state.ts';
import { type Sweeping, stateOf, targetOf, trialsGoingOn } from './sweeping.ts';
import { drop } from './take-ends.ts';

/**
 * Where all trials stand at the epoch that was set for them, decides who goes on: the others are stopped, and units that wait for a
 * decision go on. Decisions are made for all at once, so that they depend neither on the engine nor on who was faster.
 */
export async function decideHalving(sweep: Sweeping): Promise<void> {
  const { plan, state, ready } = sweep;
  if (plan.halving === undefined) return;
  const first = plan.units.filter(({ stage }) => stage === 0);
  const paused = first.filter(({ id }) => stateOf(sweep, id).status === 'paused');
  if (paused.length === 0) return;
  const epoch = Math.max(...paused.map(({ id }) => stateOf(sweep, id).until!));
  const undecided = (state.halvings.at(-1)?.epoch ?? 0) < epoch;
  const stand = first.every(({ id }) => isOver(stateOf(sweep, id)) || stateOf(sweep, id).status === 'paused');
  if (undecided && stand) {
    const going = trialsGoingOn(sweep);
    const trials = [...going].map((trial) => ({ trial, dice: meanDice(sweep, first, trial, epoch) }));
    sweep.log.append({ type: 'halved', rung: state.halvings.length + 1, epoch, ...halve(trials, plan.halving) });
    sweep.terminal.say(describeHalving(state.halvings.at(-1)!));
  }
  await stopWorse(sweep);
  // The last one that is ready is the next.
  for (const unit of paused.reverse()) {
    const { status, until } = stateOf(sweep, unit.id);
    const further = targetOf(sweep, unit);
    if (status === 'paused' && (further === undefined || further > until!) && !ready.includes(unit.id))
      ready.push(unit.id);
  }
}

/** The units of trials that were stopped and have not ended: also where whoever decided it died before they were. */
async function stopWorse(sweep: Sweeping): Promise<void> {
  const halving = sweep.state.halvings.at(-1);
  if (halving === undefined) return;
  const { stopped, kept, epoch, limit } = halving;
  for (const [index, { trial, dice }] of stopped.entries()) {
    const rank = kept.length + index + 1;
    const why = `${rank} of ${kept.length + stopped.length} at epoch ${epoch}: Dice ${dice.toFixed(4)}, ${limit.toFixed(4)} wanted`;
    const units = sweep.plan.units.filter((unit) => unit.trial === trial && !isOver(stateOf(sweep, unit.id)));
    for (const unit of units) if (!isOver(stateOf(sweep, unit.id))) await drop(sweep, unit, 'stopped', why);
  }
}

/** The mean over a trial's first units of their best Dice up to an epoch; one that came to nothing counts as 0. */
function meanDice(sweep: Sweeping, first: readonly PlannedUnit[], trial: string, epoch: number): number {
  const dices = first
    .filter((unit) => unit.trial === trial)
    .map(({ id, run_id }) => {
      const { status } = stateOf(sweep, id);
      if (status !== 'paused' && status !== 'finished') return 0;
      const epochs = readRun(sweep.runsDir, run_id)?.record.epochs.filter((each) => each.epoch <= epoch) ?? [];
      return Math.max(0, ...epochs.map(({ values }) => values['val/dice'] ?? 0));
    });
  return dices.reduce((sum, dice) => sum + dice, 0) / dices.length;
}

function describeHalving({
  epoch,
  kept,
  stopped,
}: {
  epoch: number;
  kept: RankedTrial[];
  stopped: RankedTrial[];
}): string {
  const name = ({ trial, dice }: RankedTrial) => `${trial} ${dice.toFixed(4)}`;
  return `epoch ${epoch}: ${kept.map(name).join(', ')} go on; ${stopped.length === 0 ? 'none' : stopped.map(name).join(', ')} stopped`;
}
