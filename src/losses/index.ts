import { z } from 'zod';
import { bceConfig } from './bce.ts';
import { diceConfig } from './dice.ts';

export const lossConfig = z.discriminatedUnion('name', [bceConfig, diceConfig]);
export type LossConfig = z.infer<typeof lossConfig>;
