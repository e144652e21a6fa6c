import type { Experiment } from '../config/experiment.ts';
import type { ChildDied } from '../core/child.ts';
import { messageOf, UserError } from '../core/errors.ts';
import type { Memory } from '../engine/memory.ts';

/** What a step needs beside what there is, in bytes. */
export interface MemoryNeed {
  device: 'cpu' | 'gpu';
  /** Of the whole process, or of the GPU; undefined where nothing is known of it (kernel by kernel). */
  estimated: number | undefined;
  /** Before the network was built; undefined where a GPU does not tell. */
  memory: Memory | undefined;
}

type MemoryKeys = Pick<
  Experiment,
  'batch_size' | 'accumulation_steps' | 'validation_batch_size' | 'resolution' | 'execution' | 'precision' | 'model'
>;

/**
 * The machine's memory did not do for an experiment. No line of the program is at fault: the sentence says it all, with
 * TensorFlow's own words below it.
 */
export class OutOfMemoryError extends Error {
  override name = 'OutOfMemoryError';

  constructor(message: string, cause?: unknown) {
    super(message);
    const before = cause === undefined ? '' : `\n${messageOf(cause).trim()}`;
    this.stack = `${message}${before}`;
  }
}

/**
 * Node, TensorFlow's library and the graph, and how much more than the graph's results its pool takes, since kernels work
 * at the same time and pieces of memory do not fit each other: a line through measured steps (docs/how-to/memory.md).
 */
const PROCESS_BYTES = 0.9 * 2 ** 30;
const POOL_FACTOR = 1.15;

/** The bytes that a process (or a GPU) will hold at most, from what its graph's results take; undefined from 0. */
export function estimateProcessBytes(graphBytes: number, device: 'cpu' | 'gpu'): number | undefined {
  if (graphBytes === 0) return undefined;
  return POOL_FACTOR * graphBytes + (device === 'cpu' ? PROCESS_BYTES : 0);
}

/** Throws UserError where a step needs more than the machine has in all. */
export function checkFits(keys: MemoryKeys, { device, estimated, memory }: MemoryNeed): void {
  if (estimated === undefined || memory === undefined || estimated <= memory.total) return;
  const facts = `about ${gib(estimated)} estimated, ${gib(memory.total)} in all`;
  const where = device === 'gpu' ? 'the GPU' : 'this machine';
  throw new UserError(`${begin(keys)} (${facts}) but ${where} has not that much. ${remedy(keys, device)}`);
}

/** The sentence for a step that memory ran out in. @param what `TensorFlow ran out of it` */
export function outOfMemorySentence(keys: MemoryKeys, need: MemoryNeed | undefined, what: string): string {
  const facts = [
    ...(need?.estimated === undefined ? [] : [`about ${gib(need.estimated)} estimated`]),
    ...(need?.memory === undefined ? [] : [`${gib(need.memory.available)} available`]),
  ];
  return `${begin(keys)}${facts.length === 0 ? '' : ` (${facts.join(', ')})`} but ${what}. ${remedy(keys, need?.device)}`;
}

/**
 * Any error as it is, or, where it says that memory ran out, as the sentence about it.
 * @param runId the run that ends with it, where it has a checkpoint that another run may start from
 */
export function explainOutOfMemory(
  error: unknown,
  keys: MemoryKeys,
  need: MemoryNeed | undefined,
  runId?: string,
): unknown {
  if (!isOutOfMemory(error)) return error;
  const sentence = outOfMemorySentence(keys, need, 'TensorFlow ran out of it');
  return new OutOfMemoryError(runId === undefined ? sentence : `${sentence} ${goOnFrom(runId)}`, error);
}

/** From this share of the available memory on, a crash is taken for what it mostly is: an allocation that failed. */
const SUSPECT_SHARE = 0.6;

/** A process that was killed, as Linux does where memory runs out, or crashed, as some of TensorFlow's kernels do there. */
export function explainDeath(
  { how }: ChildDied,
  keys: MemoryKeys,
  need: MemoryNeed | undefined,
  runId?: string,
): Error {
  const next = runId === undefined ? '' : ` ${goOnFrom(runId)}`;
  const least = need?.estimated ?? PROCESS_BYTES;
  const short = least > SUSPECT_SHARE * (need?.memory?.available ?? Number.POSITIVE_INFINITY);
  if (how !== 'SIGKILL' && !short) return new Error(`The process that trained ended by ${how}.${next}`);
  const what = `the process that trained ended by ${how}, as happens where memory runs out`;
  return new OutOfMemoryError(`${outOfMemorySentence(keys, need, what)}${next}`);
}

/** What can still be done with a run that ended before its time and has a checkpoint, as a sentence. */
export function goOnFrom(runId: string): string {
  return `The last checkpoint is whole: a run with init={from: ${runId}, checkpoint: last} starts from its weights.`;
}

/**
 * Whether an error says that memory ran out: TensorFlow's pool, oneDNN (its status 1 is dnnl_out_of_memory), CUDA, C++'s
 * `new`, and Node's own arrays.
 */
export function isOutOfMemory(error: unknown): boolean {
  return /OOM when allocating|RESOURCE_EXHAUSTED|out[ _]of[ _]memory|failed to allocate|bad_alloc|array buffer allocation failed|Status: 1, message: could not create/i.test(
    messageOf(error),
  );
}

/**
 * What an experiment may still change to need less, as a sentence; what it has done already is left out. 16-bit precision
 * is for a GPU: a processor keeps activations in float32, and needs as much with it.
 */
export function remedy(keys: MemoryKeys, device: 'cpu' | 'gpu' = 'cpu'): string {
  const { batch_size: batch, validation_batch_size: validation, execution, precision, model } = keys;
  const smaller = Math.max(1, batch >> 1);
  const matched = Math.round((keys.accumulation_steps * batch) / smaller);
  const ways = [
    ...(execution === 'eager' ? ['set execution=graph'] : []),
    ...(batch > 1
      ? [
          `lower batch_size (with accumulation_steps raised to match: batch_size=${smaller} accumulation_steps=${matched})`,
        ]
      : []),
    ...(validation > batch ? [`lower validation_batch_size (${validation})`] : []),
    ...(execution === 'graph' && model.recompute !== true ? ['set model.recompute=true'] : []),
    ...(device === 'gpu' && execution === 'graph' && precision === 'float32' ? ['set precision=mixed_bfloat16'] : []),
  ];
  if (ways.length === 0) ways.push('lower resolution');
  const sentence = new Intl.ListFormat('en', { type: 'disjunction' }).format(ways);
  return `${sentence[0]!.toUpperCase()}${sentence.slice(1)}.`;
}

/** Bytes as `12.6 GiB`. */
export function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

function begin({ batch_size: batch, resolution }: MemoryKeys): string {
  return `Expected memory for a step of batch_size ${batch} at ${resolution}²`;
}
