import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { readTail } from './read-tail.ts';
import { isDriven } from './start-driver.ts';
import { readEvents, type SweepEvent } from './sweep-events.ts';
import { type SweepPlan, sweepFiles } from './sweep-plan.ts';
import { diceOf } from './sweep-results.ts';
import { initialState, type SweepState, takeEvent } from './sweep-state.ts';

const ASK_EVERY_MS = 500;

/** What a sweep has come to by now. */
export function readState(sweepDir: string, plan: SweepPlan): SweepState {
  const state = initialState(plan);
  for (const event of readEvents(sweepFiles(sweepDir).events).events) takeEvent(state, event);
  return state;
}

/**
 * Says what happens in a sweep until it is over and nobody drives it any more. Throws the signal's reason when that aborts (the sweep
 * goes on), and UserError where nobody drives it before it is over.
 * @param fromNow only what comes from now on
 */
export async function followSweep(
  sweepDir: string,
  plan: SweepPlan,
  { runsDir, signal, fromNow = false }: { runsDir: string; signal: AbortSignal; fromNow?: boolean },
  terminal: Terminal,
): Promise<SweepState> {
  const { events: path } = sweepFiles(sweepDir);
  const state = initialState(plan);
  const units = new Map(plan.units.map((unit) => [unit.id, unit]));
  let offset = 0;
  for (let first = true; ; first = false) {
    signal.throwIfAborted();
    // Before its events: what it wrote last is then read.
    const driven = await isDriven(sweepDir);
    const { events, end } = readEvents(path, offset);
    offset = end;
    for (const event of events) {
      takeEvent(state, event);
      const line = first && fromNow ? undefined : lineOf(event, (id) => diceOf(runsDir, units.get(id)!));
      if (line !== undefined) terminal.say(line);
    }
    if (!driven && state.over !== undefined) return state;
    if (!driven) {
      const said = (await readTail(sweepFiles(sweepDir).log, 2048)).trim();
      throw new UserError(
        `Nobody drives ${plan.run_id} any more: \`npm run jobs ${plan.run_id} resume=true\` picks it up.${said === '' ? '' : `\nThe last that was said:\n${said}`}`,
      );
    }
    await sleep(ASK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

function lineOf(event: SweepEvent, dice: (unit: string) => number | undefined): string | undefined {
  switch (event.type) {
    case 'handed':
      return `${event.unit}: attempt ${event.attempt} is with the engine (${event.handle.split(' ')[0]})`;
    case 'ended': {
      const score = dice(event.unit);
      const why = event.why === undefined ? '' : `: ${event.why}`;
      const figure = score === undefined ? '' : `, Dice ${score.toFixed(4)}`;
      return `${event.unit}: ${event.outcome}${figure}${why}${event.again ? '; it is begun again' : ''}`;
    }
    case 'halved':
      return `epoch ${event.epoch}: ${event.kept.map(({ trial }) => trial).join(', ')} go on, stopped: ${event.stopped.map(({ trial }) => trial).join(', ') || 'none'}`;
    case 'dropped':
      return `${event.unit}: ${event.outcome} (${event.why})`;
    case 'cancelling':
      return event.units === 'all' ? 'cancelling all that is left' : `cancelling ${event.units.join(', ')}`;
    default:
      return undefined;
  }
}
