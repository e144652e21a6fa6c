import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

// Plays sbatch, squeue, scancel, sinfo and scontrol, by the name that it is called by; what it knows is in state.json beside it.
const [, called, ...words] = process.argv;
const program = basename(called);
const file = join(dirname(called), 'state.json');
const state = JSON.parse(readFileSync(file, 'utf8'));
const habits = Object.keys(process.env).filter((name) => /^S(QUEUE|INFO|CANCEL)_/.test(name));
appendFileSync(join(dirname(called), 'calls.jsonl'), `${JSON.stringify({ program, words, habits })}\n`);
if (state.fails[program] !== undefined) {
  process.stderr.write(`${state.fails[program]}\n`);
  process.exit(1);
}
const option = (name) => words.findLast((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
const say = (lines) => process.stdout.write(lines.map((line) => `${line}\n`).join(''));

if (program === 'sbatch' && !words.includes('--test-only')) {
  const array = state.next++;
  const last = Number(option('array').split('-')[1]);
  if (last >= state.maxArraySize) throw new Error(`an array up to ${last}`);
  for (let task = 0; task <= last; task++) {
    const [name, comment] = [option('job-name'), option('comment')];
    state.queue.push({ array, task, state: 'PENDING', reason: 'Priority', name, comment });
  }
  say([array]);
}
if (program === 'squeue') {
  const mine = state.queue.filter(({ name }) => name === option('name'));
  say(mine.map((job) => [job.array, job.task, job.state, job.reason, job.comment].join('|')));
}
if (program === 'scancel') state.queue = state.queue.filter(({ array, task }) => !words.includes(`${array}_${task}`));
if (program === 'sinfo') say(state.nodes);
if (program === 'scontrol') say(['Configuration data', `MaxArraySize            = ${state.maxArraySize}`]);
writeFileSync(file, JSON.stringify(state));
