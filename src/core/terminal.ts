import { SingleBar } from 'cli-progress';

/** Where a command speaks to a person. With `json=true` all of it goes to stderr, so that stdout carries one object. */
export interface Terminal {
  say(line: string): void;
  warn(line: string): void;
  /** A bar with rate and time left on a terminal, a line every ten seconds elsewhere. */
  progress(label: string, total: number): Progress;
  /** The file descriptor that `say` writes to, for what a child process prints. */
  fd?: 1 | 2;
  /** Takes each line that a child process prints, where there is no descriptor; without either they go nowhere. */
  childLine?: (line: string) => void;
}

export interface Progress {
  /** Moves on by `count` units (1 when left out). */
  advance(count?: number): void;
  /** Ends the bar; safe to call twice. */
  stop(): void;
}

/** The terminal that a process really has. */
export function openTerminal(stream: NodeJS.WriteStream): Terminal {
  const say = (line: string) => void stream.write(`${line}\n`);
  return {
    say,
    warn: (line) => void process.stderr.write(`warning: ${line}\n`),
    progress: (label, total) => (stream.isTTY ? barProgress(stream, label, total) : lineProgress(say, label, total)),
    fd: stream === process.stderr ? 2 : 1,
  };
}

/** Says nothing: for tests and for work inside other work. */
export const silentTerminal: Terminal = {
  say: () => {},
  warn: () => {},
  progress: () => ({ advance: () => {}, stop: () => {} }),
};

/** Says what it is told as lines that begin with a label, each of which `keep` gets too, without it: one of several works at once. */
export function labelled(terminal: Terminal, label: string, keep: (line: string) => void): Terminal {
  const say = (line: string) => {
    keep(line);
    terminal.say(`${label} ${line}`);
  };
  return {
    say,
    warn: (line) => {
      keep(`warning: ${line}`);
      terminal.warn(`${label} ${line}`);
    },
    progress: (name, total) => lineProgress(say, name, total),
    childLine: say,
  };
}

function barProgress(stream: NodeJS.WriteStream, label: string, total: number): Progress {
  const bar = new SingleBar({
    stream,
    hideCursor: true,
    clearOnComplete: false,
    format: `${label} [{bar}] {value}/{total} {rate} {eta_formatted} left`,
  });
  const started = Date.now();
  bar.start(total, 0, { rate: '' });
  return {
    advance: (count = 1) => {
      bar.increment(count);
      const seconds = (Date.now() - started) / 1000;
      const done = Math.round((bar as unknown as { value: number }).value);
      bar.update({ rate: `${(done / Math.max(seconds, 1e-3)).toFixed(1)}/s` });
    },
    stop: () => bar.stop(),
  };
}

function lineProgress(say: (line: string) => void, label: string, total: number): Progress {
  const started = Date.now();
  let done = 0;
  let spoken = started;
  let ended = false;
  const speak = () => {
    const seconds = Math.max((Date.now() - started) / 1000, 1e-3);
    say(
      `${label}: ${total === 0 ? done : `${done}/${total}`} (${(done / seconds).toFixed(1)}/s, ${seconds.toFixed(0)} s)`,
    );
    spoken = Date.now();
  };
  return {
    advance: (count = 1) => {
      done += count;
      if ((done < total || total === 0) && Date.now() - spoken > 10_000) speak();
    },
    stop: () => {
      if (!ended && done > 0) speak();
      ended = true;
    },
  };
}
