import type { Terminal } from '../core/terminal.ts';

/** What stands behind `npm run <command> <file> key=value …`. */
export interface Command {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** The words it takes, for its help: `<experiment.yml> [more.yml …]`. */
  usage: string;
  /** The reserved words and keys it understands itself, with one line of help each. */
  keys: Record<string, string>;
  /** Whether other key=value words are allowed: an experiment's or submission's keys. */
  overrides: boolean;
  run(args: CommandArgs, terminal: Terminal): Promise<CommandResult>;
}

export interface CommandArgs {
  /** Bare words, resolved against where the user stands when they are paths by `resolvePath`. */
  words: readonly string[];
  /** key=value words as typed, in order; a later one wins. */
  values: Readonly<Record<string, string>>;
  /** Where the user stands (INIT_CWD under npm): every relative path starts here. */
  cwd: string;
  /** Aborted by Ctrl-C and SIGTERM: save what must be saved, then return or throw. */
  signal: AbortSignal;
}

export interface CommandResult {
  /** What `json=true` prints. */
  json: Record<string, unknown>;
  /** 0 done; 3 done, but items were quarantined or skipped; 1 where some of several works failed; 75 saved, to be gone on with. Else failures are thrown. */
  exitCode?: 0 | 1 | 3 | 75;
}
