import { z } from 'zod';
import { adamConfig } from './adam.ts';
import { cosineConfig } from './cosine.ts';

export const optimizerConfig = z.discriminatedUnion('name', [adamConfig]);
export type OptimizerConfig = z.infer<typeof optimizerConfig>;

export const scheduleConfig = z.discriminatedUnion('name', [cosineConfig]);
export type ScheduleConfig = z.infer<typeof scheduleConfig>;
