import { messageOf, UserError } from '../../../core/errors.ts';
import type { Terminal } from '../../../core/terminal.ts';
import {
  mergePrediction,
  mergeTraining,
  type PredictFigures,
  type Row,
  type TrainFigures,
  whyNotEqual,
} from './figures.ts';
import type { Contender, Task } from './processes.ts';

/** Runs one process of a contender. */
export type Measure = (program: string, words: readonly string[], signal: AbortSignal) => Promise<unknown>;

interface Measured {
  contender: Contender;
  train: TrainFigures[];
  predict: PredictFigures[];
  why?: string;
}

/**
 * Measures the contenders one after another, so many times over, each task in a process of its own, and holds each
 * against the first, which is ours. Throws where ours fails; a peer that fails has that as its reason and is left alone.
 */
export async function runRounds(
  contenders: readonly Contender[],
  rounds: number,
  measure: Measure,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Row[]> {
  const all: Measured[] = contenders.map((contender) => ({ contender, train: [], predict: [] }));
  for (let round = 1; round <= rounds; round++) {
    for (const measured of all)
      await runOnce(measured, measure, (line) => terminal.say(`round ${round}: ${line}`), signal);
  }
  const reference = mergeTraining(all[0]!.train);
  return all.map((measured) => rowOf(measured, reference));
}

async function runOnce(measured: Measured, measure: Measure, say: (line: string) => void, signal: AbortSignal) {
  const { contender } = measured;
  for (const task of contender.tasks) {
    if (measured.why !== undefined) return;
    try {
      const [program, words] = await contender.commandFor(task);
      const figures = await measure(program, words, signal);
      if (task === 'train') measured.train.push(figures as TrainFigures);
      else measured.predict.push(figures as PredictFigures);
      say(`${contender.title}: ${tell(task, figures)}`);
    } catch (error) {
      signal.throwIfAborted();
      if (contender.peer === undefined) throw error;
      measured.why = error instanceof UserError ? messageOf(error).replaceAll('\n', ' ') : messageOf(error);
      say(`${contender.title}: ${measured.why}`);
    }
  }
}

function rowOf({ contender, train, predict, why }: Measured, reference: TrainFigures): Row {
  const merged = train.length === 0 ? undefined : mergeTraining(train);
  const reason = why ?? (merged === undefined ? 'it was not measured' : whyNotEqual(reference, merged));
  return {
    id: contender.id,
    title: contender.title,
    ...(merged === undefined ? {} : { train: merged }),
    ...(predict.length === 0 ? {} : { predict: mergePrediction(predict) }),
    ...(reason === undefined ? {} : { why: reason }),
  };
}

function tell(task: Task, figures: unknown): string {
  if (task === 'train') return `${(figures as TrainFigures).median_ms.toFixed(0)} ms a step`;
  return `${(figures as PredictFigures).images_per_second.toFixed(1)} images/s predicted`;
}
