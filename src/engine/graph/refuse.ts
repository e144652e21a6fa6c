import { tf } from '../tf.ts';

/** tfjs functions that draw their random numbers in JavaScript: recorded, one draw would be every step's. */
const DRAWN_IN_JAVASCRIPT = new Set([
  ...['dropout', 'multinomial', 'rand', 'randomGamma', 'randomNormal', 'randomStandardNormal', 'randomUniform'],
  ...['randomUniformInt', 'truncatedNormal'],
]);

/** Operations that draw random numbers from a state of their own: two runs of one seed would differ. */
const STATEFUL_RANDOM = /^(Random|Multinomial|ParameterizedTruncatedNormal|TruncatedNormal)/;

/** Operations whose outputs' shapes depend on values. */
const SHAPED_BY_DATA = new Set([
  ...['Where', 'Unique', 'UniqueV2', 'UniqueWithCounts', 'ListDiff', 'SetDiff1d', 'DynamicPartition', 'StringSplit'],
  ...['NonMaxSuppression', 'NonMaxSuppressionV2', 'NonMaxSuppressionV3', 'NonMaxSuppressionV4', 'NonMaxSuppressionV5'],
  ...['SparseReshape', 'SparseFillEmptyRows', 'BooleanMask'],
]);

const MOST_FRAMES = 100;
/** Frames of packages (source maps show tfjs's under names of their own), of Node and of the engine. */
const NOT_THE_CALLER = /node_modules|node:|<anonymous>\)?$|[\\/]tfjs-\w+[\\/]|[\\/]src[\\/]engine[\\/]/;

/**
 * Where the code stands that called into tfjs, as ` (file:line)`, for an error about it; '' where no frame is left.
 * Frames of packages and of the engine itself are passed over.
 */
export function callSite(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = MOST_FRAMES;
  const frames = new Error().stack?.split('\n').slice(1) ?? [];
  Error.stackTraceLimit = limit;
  const outside = frames.find((frame) => !NOT_THE_CALLER.test(frame));
  const place = outside === undefined ? null : /([^\\/()\s]+:\d+):\d+\)?$/.exec(outside);
  return place === null ? '' : ` (${place[1]})`;
}

/** Throws where an operation cannot stand in a graph that is run again and again with other values. */
export function refuseOperation(name: string, op: string): void {
  if (STATEFUL_RANDOM.test(op)) {
    const next = 'Use the stateless kernels (engine/kernels/random.ts) with a seed that is fed.';
    throw new Error(
      `Expected no unseeded random operation while recording ${name} but ${op} was called${callSite()}. ${next}`,
    );
  }
  if (SHAPED_BY_DATA.has(op)) {
    throw new Error(
      `Expected shapes that do not depend on data while recording ${name} but ${op} was called${callSite()}.`,
    );
  }
}

/**
 * Runs `work` with `Math.random` and tfjs's functions that draw random numbers in JavaScript refused: their numbers would be frozen into
 * the graph. tfjs names every function that it enters to its engine, and there they are seen.
 */
export function refusingRandomness<T>(name: string, work: () => T): T {
  const engine = tf.engine() as unknown as { startScope(scope?: string): void };
  const enter = engine.startScope;
  const drawInJavaScript = Math.random;
  const refuse = (called: string): never => {
    const next = 'Use the stateless kernels (engine/kernels/random.ts) with a seed that is fed.';
    throw new Error(
      `Expected no random numbers drawn in JavaScript while recording ${name} but ${called} was called${callSite()}. ${next}`,
    );
  };
  engine.startScope = (scope) => {
    const called = scope?.replace(/__op$/, '') ?? '';
    if (DRAWN_IN_JAVASCRIPT.has(called)) refuse(`tf.${called}`);
    enter.call(engine, scope);
  };
  Math.random = () => refuse('Math.random');
  try {
    return work();
  } finally {
    Math.random = drawInJavaScript;
    // The method lies on the prototype: taking our own away brings it back.
    delete (engine as { startScope?: unknown }).startScope;
  }
}
