import { z } from 'zod';

/** Two numbers between which something is drawn, the smaller one first. */
export function inOrder(number: z.ZodType<number>) {
  return z.tuple([number, number]).refine(([least, most]) => least <= most, 'two numbers, the smaller one first');
}
