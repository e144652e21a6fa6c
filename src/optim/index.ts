import { z } from 'zod';
import { adam, adamConfig } from './adam.ts';
import { cosine, cosineConfig } from './cosine.ts';
import type { Optimizer } from './optimizer.ts';
import type { Schedule } from './schedule.ts';

export const optimizerConfig = z.discriminatedUnion('name', [adamConfig]);
export type OptimizerConfig = z.infer<typeof optimizerConfig>;

export const scheduleConfig = z.discriminatedUnion('name', [cosineConfig]);
export type ScheduleConfig = z.infer<typeof scheduleConfig>;

/** The optimizer that an experiment names. */
export function buildOptimizer(config: OptimizerConfig): Optimizer {
  switch (config.name) {
    case 'adam':
      return adam(config);
  }
}

/** The schedule that an experiment names. */
export function buildSchedule(config: ScheduleConfig): Schedule {
  switch (config.name) {
    case 'cosine':
      return cosine(config);
  }
}
