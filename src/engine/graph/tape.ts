import { tf } from '../tf.ts';

/** The part of tfjs's engine that an error inside of `variableGrads` leaves behind. */
interface EngineState {
  activeTape: unknown;
  gradientDepth: number;
  kernelDepth: number;
  scopeStack: unknown[];
  activeScope: unknown;
}

/**
 * Runs `work`, and puts tfjs's gradient tape and scopes back as they were where it throws: tfjs itself does not, and
 * every later operation would be taped for ever.
 */
export function restoringTape<T>(work: () => T): T {
  const { state } = tf.engine() as unknown as { state: EngineState };
  const { activeTape, gradientDepth, kernelDepth, activeScope } = state;
  const scopes = [...state.scopeStack];
  try {
    return work();
  } catch (error) {
    Object.assign(state, { activeTape, gradientDepth, kernelDepth, activeScope });
    state.scopeStack = scopes;
    throw error;
  }
}
