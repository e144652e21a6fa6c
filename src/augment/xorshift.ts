/**
 * The next of a stream of 32-bit numbers, none of them 0, for where every pixel wants one: a few times as fast as Rng,
 * which draws the first (Marsaglia, Xorshift RNGs, 2003, section 4).
 * @param state the last one, a whole number other than 0.
 */
export function nextXorshift(state: number): number {
  const first = state ^ (state << 13);
  const second = first ^ (first >>> 17);
  return second ^ (second << 5);
}
