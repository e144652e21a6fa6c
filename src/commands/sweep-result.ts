import { Stopped } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { followSweep } from '../jobs/follow-sweep.ts';
import type { SweepPlan } from '../jobs/sweep-plan.ts';
import type { SweepState } from '../jobs/sweep-state.ts';
import { readUpload } from '../tracking/uploader.ts';
import type { CommandResult } from './command.ts';
import { sayUnits, showUnits } from './sweep-table.ts';

interface Following {
  runsDir: string;
  signal: AbortSignal;
  fromNow?: boolean;
}

/** Follows a sweep to its end and says what came of it. Whoever stops the following is told that the sweep goes on. */
export async function followAndTell(
  runDir: string,
  plan: SweepPlan,
  following: Following,
  terminal: Terminal,
): Promise<CommandResult> {
  try {
    return tellResult(runDir, plan, await followSweep(runDir, plan, following, terminal), following.runsDir, terminal);
  } catch (error) {
    if (!following.signal.aborted) throw error;
    const next = `\`npm run jobs ${plan.run_id} follow=true\` follows it again, cancel=true cancels it.`;
    throw new Stopped(`The sweep ${plan.run_id} goes on: ${next}`);
  }
}

function tellResult(
  runDir: string,
  plan: SweepPlan,
  state: SweepState,
  runsDir: string,
  terminal: Terminal,
): CommandResult {
  const units = showUnits(plan, state, runsDir);
  const { mlflow_run_id, tracking_uri } = readUpload(runDir);
  const status = state.over!;
  terminal.say('');
  sayUnits(units, terminal);
  terminal.say(`\nsweep        ${plan.run_id} ${status}`);
  terminal.say(`files        ${runDir}`);
  if (mlflow_run_id !== undefined) terminal.say(`MLflow       ${tracking_uri}, run ${mlflow_run_id}`);
  const finished = units.filter((unit) => unit.status === 'finished');
  if (status === 'FAILED')
    terminal.say(`Next: npm run jobs ${plan.run_id} <unit> logs=true; retry=failed begins those again.`);
  else if (finished.length > 1) {
    const best = finished.sort((a, b) => (b['val/dice'] ?? 0) - (a['val/dice'] ?? 0)).slice(0, 5);
    terminal.say(`Next: npm run compare ${best.map(({ run_id }) => run_id).join(' ')}`);
  }
  const json = {
    run_id: plan.run_id,
    run_dir: runDir,
    status,
    units,
    halvings: state.halvings,
    mlflow_run_id,
    tracking_uri,
  };
  return { json, exitCode: status === 'FINISHED' ? 0 : 1 };
}
