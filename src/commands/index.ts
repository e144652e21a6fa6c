import type { Command } from './command.ts';

/** A command in the list: its code is only loaded to run it or to show its own help. */
export interface CommandEntry {
  name: string;
  /** As in the command itself. */
  summary: string;
  load(): Promise<Command>;
}

/** Every command, in the order of a competitor's day; each has an npm script of its name. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'setup',
    summary: 'bring TensorFlow’s library and compile its binding',
    load: async () => (await import('./setup.ts')).setupCommand,
  },
  {
    name: 'phantom',
    summary: 'write a synthetic competition',
    load: async () => (await import('./phantom.ts')).phantomCommand,
  },
  {
    name: 'ingest',
    summary: 'verify, decode, catalogue and cache a download of the competition',
    load: async () => (await import('./ingest.ts')).ingestCommand,
  },
  {
    name: 'folds',
    summary: 'draw folds once, grouped by patient and stratified, with a leakage report',
    load: async () => (await import('./folds.ts')).foldsCommand,
  },
  {
    name: 'exp',
    summary: 'train what an experiment file declares',
    load: async () => (await import('./exp.ts')).expCommand,
  },
  {
    name: 'sweep',
    summary: 'train what a sweep’s file declares: many runs, here or on Ray or Slurm',
    load: async () => (await import('./sweep.ts')).sweepCommand,
  },
  {
    name: 'jobs',
    summary: 'show sweeps and their runs; follow, cancel, pick up, begin again',
    load: async () => (await import('./jobs.ts')).jobsCommand,
  },
  {
    name: 'lr-find',
    summary: 'try growing learning rates on an experiment, and plot the loss over them',
    load: async () => (await import('./lr-find.ts')).lrFindCommand,
  },
  {
    name: 'predict',
    summary: 'store the probabilities of runs on a set of images',
    load: async () => (await import('./predict.ts')).predictCommand,
  },
  {
    name: 'tune',
    summary: 'search post-processing and weights on stored validation probabilities',
    load: async () => (await import('./tune.ts')).tuneCommand,
  },
  {
    name: 'submit',
    summary: 'build a stage’s CSV and its manifest',
    load: async () => (await import('./submit.ts')).submitCommand,
  },
  {
    name: 'score',
    summary: 'compute the competition’s metric offline',
    load: async () => (await import('./score.ts')).scoreCommand,
  },
  {
    name: 'final',
    summary: 'mark at most two submissions of stage 2 as final, or list them',
    load: async () => (await import('./final.ts')).finalCommand,
  },
  {
    name: 'view',
    summary: 'write a page of images with the outlines of truth and prediction, by kind of error',
    load: async () => (await import('./view.ts')).viewCommand,
  },
  {
    name: 'compare',
    summary: 'say which runs are better, and whether it is more than noise',
    load: async () => (await import('./compare.ts')).compareCommand,
  },
  {
    name: 'report',
    summary: 'write a run’s own page: figures, curves, its worst images',
    load: async () => (await import('./report.ts')).reportCommand,
  },
  {
    name: 'leaderboard',
    summary: 'list every submission with its scores, or record what Kaggle says of one',
    load: async () => (await import('./leaderboard.ts')).leaderboardCommand,
  },
  {
    name: 'mlflow',
    summary: 'start the local tracking server and show its address',
    load: async () => (await import('./mlflow.ts')).mlflowCommand,
  },
  {
    name: 'sync',
    summary: 'upload what is still only in the journals',
    load: async () => (await import('./sync.ts')).syncCommand,
  },
  {
    name: 'gc',
    summary: 'remove what nothing needs any more of runs that have ended',
    load: async () => (await import('./gc.ts')).gcCommand,
  },
  {
    name: 'weights',
    summary: 'list published ImageNet weights, or fetch an encoder’s',
    load: async () => (await import('./weights.ts')).weightsCommand,
  },
  {
    name: 'bench',
    summary: 'measure the harness',
    load: async () => (await import('./bench/index.ts')).benchCommand,
  },
  {
    name: 'help',
    summary: 'list the commands, or show what one takes',
    load: async () => (await import('./help.ts')).helpCommand,
  },
];
