import { bilinearAxis, mix, widenRow } from './bilinear.ts';

/** One member's probabilities of an image. */
export interface MemberMap {
  /** round(255·p), [resolution, resolution] row-major. */
  probabilities: Uint8Array;
  /** Side in pixels. */
  resolution: number;
  /** Its share in the mean, more than 0; only the proportions of the members' weights count. */
  weight: number;
}

/**
 * The weighted mean over members of their probabilities, each first brought to size² by bilinear interpolation with
 * half-pixel centres: [size, size] row-major, in [0, 1]. In float64; one member's weight changes nothing.
 */
export function meanProbability(members: readonly MemberMap[], size: number): Float64Array {
  const mean = new Float64Array(size * size);
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  for (const member of members) addMember(mean, member, member.weight / total, size);
  for (let i = 0; i < mean.length; i++) mean[i] = mean[i]! / 255;
  return mean;
}

function addMember(sum: Float64Array, { probabilities, resolution }: MemberMap, share: number, size: number): void {
  const axis = bilinearAxis(resolution, size);
  const { low, high, fraction } = axis;
  const widen = (row: number) => widenRow(probabilities.subarray(row * resolution, (row + 1) * resolution), axis);
  let above = widen(low[0]!);
  let below = widen(high[0]!);
  for (let y = 0; y < size; y++) {
    if (y > 0 && low[y] !== low[y - 1]) above = low[y] === high[y - 1] ? below : widen(low[y]!);
    if (y > 0 && high[y] !== high[y - 1]) below = widen(high[y]!);
    for (let x = 0, index = y * size; x < size; x++, index++) {
      sum[index] = sum[index]! + share * mix(above[x]!, below[x]!, fraction[y]!);
    }
  }
}
