import { tf } from '../tf.ts';

/** The part of tfjs's engine that an error inside of `variableGrads` leaves behind. */
interface EngineState {
  /** Operations of the gradient under way, each with the tensors that it kept for that. */
  activeTape: { saved?: tf.Tensor[] }[] | null;
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
  const taped = activeTape?.length ?? 0;
  try {
    return work();
  } catch (error) {
    const abandoned = activeTape === null ? state.activeTape : activeTape.splice(taped);
    for (const { saved } of abandoned ?? []) tf.dispose(saved ?? []);
    Object.assign(state, { activeTape, gradientDepth, kernelDepth, activeScope });
    state.scopeStack = scopes;
    throw error;
  }
}
