import { MASK_SIZE } from '../../core/competition.ts';
import type { GrayImage } from '../../core/image.ts';
import type { Rng } from '../../core/random.ts';
import { type Field, fastNormal } from './field.ts';
import type { Look } from './look.ts';

/** Attenuation to grey levels: the detector's curve, quantum noise, and black where the beam was cut off. */
export function expose(rng: Rng, attenuation: Field, look: Look): GrayImage {
  const normal = fastNormal(rng);
  const curve = greyCurve(look);
  const data = new Uint8Array(attenuation.data.length);
  const [left, right, top, bottom] = look.distractors.borders.map((share) => Math.round(share * MASK_SIZE));
  for (let row = top!; row < MASK_SIZE - bottom!; row++) {
    const end = (row + 1) * MASK_SIZE - right!;
    for (let i = row * MASK_SIZE + left!; i < end; i++) {
      const seen = (attenuation.data[i]! + look.noise * normal()) * 1024;
      data[i] = curve[seen < 0 ? 0 : seen > 1023 ? 1023 : seen | 0]!;
    }
  }
  return { width: MASK_SIZE, height: MASK_SIZE, data };
}

/** Grey level by 1,024 steps of attenuation. */
function greyCurve({ exposure: { offset, gain, gamma } }: Look): Uint8ClampedArray {
  const curve = new Uint8ClampedArray(1024);
  for (let i = 0; i < 1024; i++) curve[i] = 255 * (offset + gain * (i / 1024) ** gamma);
  return curve;
}
