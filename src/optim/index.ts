import { z } from 'zod';
import { adam, adamConfig } from './adam.ts';
import { adamw, adamwConfig } from './adamw.ts';
import { constant, constantConfig } from './constant.ts';
import { cosine, cosineConfig } from './cosine.ts';
import { cyclical, cyclicalConfig } from './cyclical.ts';
import { oneCycle, oneCycleConfig } from './one-cycle.ts';
import type { Optimizer } from './optimizer.ts';
import { plateau, plateauConfig } from './plateau.ts';
import type { Schedule } from './schedule.ts';
import { sgd, sgdConfig } from './sgd.ts';
import { step, stepConfig } from './step.ts';
import { warmRestarts, warmRestartsConfig } from './warm-restarts.ts';

export const optimizerConfig = z.discriminatedUnion('name', [adamConfig, adamwConfig, sgdConfig]);
export type OptimizerConfig = z.infer<typeof optimizerConfig>;

export const scheduleConfig = z.discriminatedUnion('name', [
  constantConfig,
  cosineConfig,
  cyclicalConfig,
  oneCycleConfig,
  plateauConfig,
  stepConfig,
  warmRestartsConfig,
]);
export type ScheduleConfig = z.infer<typeof scheduleConfig>;

/** The optimizer that an experiment names. */
export function buildOptimizer(config: OptimizerConfig): Optimizer {
  switch (config.name) {
    case 'adam':
      return adam(config);
    case 'adamw':
      return adamw(config);
    case 'sgd':
      return sgd(config);
  }
}

/** The schedule that an experiment names. */
export function buildSchedule(config: ScheduleConfig): Schedule {
  switch (config.name) {
    case 'constant':
      return constant(config);
    case 'cosine':
      return cosine(config);
    case 'cyclical':
      return cyclical(config);
    case 'one_cycle':
      return oneCycle(config);
    case 'plateau':
      return plateau(config);
    case 'step':
      return step(config);
    case 'warm_restarts':
      return warmRestarts(config);
  }
}
