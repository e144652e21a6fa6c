import { messageOf } from '../core/errors.ts';
import { readRun } from '../tracking/runs.ts';
import { halve, rungEpochs } from './halving.ts';
import type { RankedTrial, SweepEvent } from './sweep-events.ts';
import type { PlannedUnit } from './sweep-plan.ts';
import { isOver } from './sweep-state.ts';
import { type Sweeping, stateOf } from './sweeping.ts';
import { drop } from './take-ends.ts';

type Halved = Extract<SweepEvent, { type: 'halved' }>;

/**
 * Where all trials stand at the epoch that was set for them, decides who goes on: the others are stopped, and units that wait for a
 * decision go on. Decisions are made for all at once, so that they depend neither on the engine nor on who was faster.
 */
export async function decideHalving(sweep: Sweeping): Promise<void> {
  const { plan, state } = sweep;
  if (plan.halving === undefined || sweep.moving.size > 0) return;
  const paused = sweep.first.filter(({ id }) => stateOf(sweep, id).status === 'paused');
  if (paused.length === 0) return;
  const epoch = Math.max(...paused.map(({ id }) => stateOf(sweep, id).until!));
  if ((state.halvings.at(-1)?.epoch ?? 0) < epoch) {
    const trials = [...trialsGoingOn(sweep)].map((trial) => ({ trial, dice: meanDice(sweep, trial, epoch) }));
    sweep.log.append({ type: 'halved', rung: state.halvings.length + 1, epoch, ...halve(trials, plan.halving) });
    sweep.terminal.say(describeHalving(state.halvings.at(-1)!));
  }
  await followHalving(sweep);
}

/**
 * What follows from the decisions that were made, also by one that died before it did: what waits of a stopped trial never begins,
 * a later stage that trains already ends by itself, and paused units of the others are ready.
 */
export async function followHalving(sweep: Sweeping): Promise<void> {
  const { plan, state, first, ready, moving } = sweep;
  if (plan.halving === undefined) return;
  for (const halving of state.halvings) {
    for (const [index, { trial }] of halving.stopped.entries()) {
      const why = whyStopped(halving, index);
      for (const unit of sweep.byTrial.get(trial) ?? []) {
        const { status } = stateOf(sweep, unit.id);
        if (status === 'waiting' || status === 'paused') await drop(sweep, unit, 'stopped', why);
      }
    }
  }
  const target = nextTarget(sweep);
  // The last one that is ready is the next.
  for (const unit of first.toReversed()) {
    const { status, until } = stateOf(sweep, unit.id);
    const further = targetOf(unit, target);
    if (status !== 'paused' || moving.has(unit.id) || (further !== undefined && further <= until!)) continue;
    ready.push(unit.id);
    moving.add(unit.id);
  }
}

/** The next epoch at which something is decided; undefined where nothing is any more. */
export function nextTarget(sweep: Sweeping): number | undefined {
  const { halving } = sweep.plan;
  if (halving === undefined || trialsGoingOn(sweep).size < 2) return undefined;
  const epochs = sweep.first.reduce((most, unit) => Math.max(most, unit.epochs), 0);
  return rungEpochs(halving, epochs)[sweep.state.halvings.length];
}

/** The epoch that a unit may go to for now; undefined where it goes to its end. */
export function targetOf(unit: PlannedUnit, target: number | undefined): number | undefined {
  return unit.stage === 0 && target !== undefined && target < unit.epochs ? target : undefined;
}

/** The trials that were stopped. */
export function stoppedTrials({ state }: Pick<Sweeping, 'state'>): Set<string> {
  return new Set(state.halvings.flatMap(({ stopped }) => stopped.map(({ trial }) => trial)));
}

/** The trials that were not stopped and have a first unit which may go on or has finished. */
function trialsGoingOn(sweep: Sweeping): Set<string> {
  const stopped = stoppedTrials(sweep);
  const going = sweep.first.filter(({ id, trial }) => {
    const unit = stateOf(sweep, id);
    return !stopped.has(trial) && (!isOver(unit) || unit.status === 'finished');
  });
  return new Set(going.map(({ trial }) => trial));
}

/** The mean over a trial's first units of their best Dice up to an epoch; one that came to nothing counts as 0. */
function meanDice(sweep: Sweeping, trial: string, epoch: number): number {
  const first = sweep.byTrial.get(trial)!.filter(({ stage }) => stage === 0);
  return first.reduce((sum, unit) => sum + bestDice(sweep, unit, epoch), 0) / first.length;
}

function bestDice(sweep: Sweeping, { id, run_id }: PlannedUnit, epoch: number): number {
  const { status } = stateOf(sweep, id);
  if (status !== 'paused' && status !== 'finished') return 0;
  try {
    const epochs = readRun(sweep.runsDir, run_id)?.record.epochs.filter((each) => each.epoch <= epoch) ?? [];
    return Math.max(0, ...epochs.map(({ values }) => values['val/dice'] ?? 0));
  } catch (error) {
    sweep.terminal.warn(`${run_id} counts as Dice 0: ${messageOf(error)}`);
    return 0;
  }
}

function whyStopped({ kept, stopped, epoch, limit }: Halved, index: number): string {
  const rank = `${kept.length + index + 1} of ${kept.length + stopped.length} at epoch ${epoch}`;
  return `${rank}: Dice ${stopped[index]!.dice.toFixed(4)}, ${limit.toFixed(4)} wanted`;
}

function describeHalving({ epoch, kept, stopped }: Halved): string {
  const name = ({ trial, dice }: RankedTrial) => `${trial} ${dice.toFixed(4)}`;
  return `epoch ${epoch}: ${kept.map(name).join(', ')} go on; ${stopped.map(name).join(', ') || 'none'} stopped`;
}
