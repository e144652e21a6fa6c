/** How a server meets a request: an answer, maybe late; an error; none at all; or the connection is cut. */
export type Manner =
  | { manner: 'answer'; afterMs?: number }
  | { manner: 'error'; status: number }
  | { manner: 'hang' }
  | { manner: 'cut' };

/** A way in which a tracking server may behave while a run goes on. */
export interface Way {
  name: string;
  what: string;
  /** So many milliseconds after the run began. */
  at(ms: number): Manner;
}

const ANSWER: Manner = { manner: 'answer' };
/** When a server that goes or comes does so, in milliseconds: in the middle of training. */
const MIDDLE_MS = 12_000;

/** The first is the healthy one, which the others are held against. */
export const WAYS: readonly Way[] = [
  { name: 'healthy', what: 'answers at once', at: () => ANSWER },
  {
    name: 'killed',
    what: 'answers, and is gone from the middle on',
    at: (ms) => (ms < MIDDLE_MS ? ANSWER : { manner: 'cut' }),
  },
  { name: 'hung', what: 'takes connections and never answers', at: () => ({ manner: 'hang' }) },
  { name: 'slow', what: 'answers after two seconds', at: () => ({ manner: 'answer', afterMs: 2000 }) },
  { name: 'failing', what: 'answers 500', at: () => ({ manner: 'error', status: 500 }) },
  { name: 'busy', what: 'answers 429 and asks for a second', at: () => ({ manner: 'error', status: 429 }) },
  {
    name: 'back',
    what: 'is not there, and answers from the middle on',
    at: (ms) => (ms < MIDDLE_MS ? { manner: 'cut' } : ANSWER),
  },
  { name: 'never', what: 'is not there', at: () => ({ manner: 'cut' }) },
];
