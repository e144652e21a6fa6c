/**
 * Memory that is made once and taken again and again: a step of one sample must not leave an image's worth of garbage.
 * What it holds is left over from before, and it may be longer than asked for. Each thread has its own, since it has its
 * own modules.
 */
export function reused<T extends { length: number }>(make: (length: number) => T): (length: number) => T {
  let kept = make(0);
  return (length) => {
    if (kept.length < length) kept = make(length);
    return kept;
  };
}
