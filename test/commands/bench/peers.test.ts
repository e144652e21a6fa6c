import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  mergePrediction,
  mergeTraining,
  type Row,
  type TrainFigures,
} from '../../../src/commands/bench/peers/figures.ts';
import { type Contender, measure } from '../../../src/commands/bench/peers/processes.ts';
import { goalsOf, ratiosOf } from '../../../src/commands/bench/peers/ratios.ts';
import { reportOf } from '../../../src/commands/bench/peers/report.ts';
import { runRounds } from '../../../src/commands/bench/peers/rounds.ts';
import { drawBatch } from '../../../src/commands/bench/peers/shared-start.ts';
import { readPlan } from '../../../src/commands/bench/peers.ts';
import { UserError } from '../../../src/core/errors.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';

const SIGNAL = new AbortController().signal;

function trained(median_ms: number, gigabytes: number, more: Partial<TrainFigures> = {}): TrainFigures {
  const same = { parameters: 1000, first_loss: 2 };
  return { median_ms, min_ms: median_ms - 10, peak_rss_bytes: gigabytes * 1e9, ...same, ...more };
}

function row(id: string, train: TrainFigures, rate?: number): Row {
  const predict = rate === undefined ? {} : { predict: { images_per_second: rate, peak_rss_bytes: 1e9 } };
  return { id, title: `the ${id}`, train, ...predict };
}

const ROWS: Row[] = [
  row('graph', trained(800, 2.5), 12),
  row('recompute', trained(880, 1.5)),
  row('keras', trained(1100, 3), 8),
  row('pytorch', trained(1000, 2.8), 10),
  row('pytorch-channels-last', trained(1200, 2.8), 9),
  row('stock', trained(2600, 8)),
];

test('rounds become one: median of medians, least of the least, highest peak', () => {
  const merged = mergeTraining([trained(900, 2), trained(700, 3), trained(800, 1)]);
  assert.deepEqual([merged.median_ms, merged.min_ms, merged.peak_rss_bytes], [800, 690, 3e9]);
  assert.equal(mergeTraining([trained(900, 2), trained(700, 3)]).median_ms, 800);
  const rates = [4, 8, 5].map((images_per_second) => ({ images_per_second, peak_rss_bytes: images_per_second }));
  assert.deepEqual(mergePrediction(rates), { images_per_second: 5, peak_rss_bytes: 8 });
});

test('ratios are ours over the peer’s', () => {
  const ratios = ratiosOf(ROWS);
  assert.equal(ratios.length, 8);
  const find = (ours: string, peer: string) => ratios.find((ratio) => ratio.ours === ours && ratio.peer === peer);
  assert.deepEqual(find('graph', 'pytorch'), {
    ...{ ours: 'graph', peer: 'pytorch', time: 0.8, memory: 2.5 / 2.8, prediction: 1.2 },
  });
  assert.deepEqual(find('recompute', 'keras'), { ours: 'recompute', peer: 'keras', time: 0.8, memory: 0.5 });
});

test('goals are held against the faster peer, Keras’s memory and the harness without recomputation', () => {
  assert.deepEqual(
    goalsOf(ROWS).map(({ value, met }) => [value, met]),
    [
      [0.8, false],
      [2.5 / 3, true],
      [0.5, true],
      [1.1, true],
      [880 / 2600, true],
      [1.2, true],
    ],
  );
});

test('a peer that does not count takes part in no ratio and no goal, and the report says why', () => {
  const rows = ROWS.map((each) => (each.id === 'keras' ? { ...each, why: 'it is another network' } : each));
  assert.equal(
    ratiosOf(rows).some(({ peer }) => peer === 'keras'),
    false,
  );
  assert.deepEqual(
    goalsOf(rows).map(({ met }) => met),
    [undefined, undefined, undefined, true, true, undefined],
  );
  const report = reportOf(HEAD, rows);
  assert.match(report, /^- the keras does not count: it is another network\.$/m);
  assert.doesNotMatch(report, /\/ the keras/);
  assert.match(report, /over Keras’s, at most \| 0\.9 \| – \| not known \|/);
});

const HEAD = {
  command: 'npm run bench peers',
  date: '2019-08-01',
  machine: { processor: 'a processor', cores: 2, memory_gb: 25, system: 'a system' },
  workload: readPlan({}).workload,
  ...{ steps: 10, rounds: 3 },
};

test('the report has figures, ratios, goals and the machine', () => {
  const rows = ROWS.map((each) => ({ ...each, train: { ...each.train!, versions: { [each.id]: '1.2' } } }));
  const report = reportOf(HEAD, rows);
  assert.match(report, /^# efficientnet-b4 U-Net at 256² × 4/);
  assert.match(report, /^\| the graph \| 800 \| 790 \| 2\.50 \| 12\.0 \| 1\.00 \| 2\.000000 \| 1,000 \|$/m);
  assert.match(report, /^\| the recompute \| 880 \| 870 \| 1\.50 \| – \| – \| 2\.000000 \| 1,000 \|$/m);
  assert.match(report, /^\| the graph \/ the pytorch \| 0\.80 \| 0\.89 \| 1\.20 \|$/m);
  assert.match(report, /faster of Keras and PyTorch, at most \| 0\.75 \| 0\.800 \| no \|$/m);
  assert.match(report, /^- 2019-08-01: a processor, 2 cores, 25 GB; a system$/m);
  assert.match(report, /keras 1\.2, pytorch 1\.2/);
  assert.doesNotMatch(report, /undefined|NaN|does not count/);
});

/** A contender whose processes answer as told, in order. */
function contender(id: Contender['id'], more: Partial<Contender> = {}): Contender {
  const commandFor = async (task: string): Promise<[string, string[]]> => [id, [task]];
  return { id, title: id, tasks: ['train'], commandFor, ...more };
}

const answers: Record<string, TrainFigures> = {
  graph: trained(800, 2),
  keras: trained(900, 3, { first_loss: 2.0019 }),
  pytorch: trained(900, 3, { first_loss: 2.0021 }),
  stock: trained(900, 3, { parameters: 1001 }),
};

test('a peer counts with equal parameters and, to 1e-3, an equal first loss', async () => {
  const peers = (['keras', 'pytorch', 'stock'] as const).map((peer) => contender(peer, { peer }));
  const told = async (program: string) => answers[program]!;
  const rows = await runRounds([contender('graph'), ...peers], 1, told, silentTerminal, SIGNAL);
  assert.deepEqual(
    rows.map(({ why }) => why),
    [
      ...[undefined, undefined, 'its first loss from the shared weights is 2.0021 where ours is 2'],
      'it has 1001 trainable parameters where ours has 1000',
    ],
  );
});

test('contenders take turns; one that fails, or cannot be made, has its reason and is left alone', async () => {
  const ran: string[] = [];
  const told = async (program: string, [task]: readonly string[]) => {
    ran.push(`${program} ${task}`);
    if (program === 'stock') throw new Error('it was killed');
    return task === 'train' ? answers.graph! : { images_per_second: 3, peak_rss_bytes: 1 };
  };
  const contenders = [
    contender('graph', { tasks: ['train', 'predict'] }),
    contender('stock', { peer: 'stock', tasks: ['train', 'predict'] }),
    contender('keras', {
      peer: 'keras',
      commandFor: async () => {
        throw new UserError('there is no python3.\nInstall it.');
      },
    }),
  ];
  const rows = await runRounds(contenders, 2, told, silentTerminal, SIGNAL);
  assert.deepEqual(ran, ['graph train', 'graph predict', 'stock train', 'graph train', 'graph predict']);
  assert.deepEqual(
    rows.map(({ why }) => why),
    [undefined, 'it was killed', 'there is no python3. Install it.'],
  );
  assert.equal(rows[0]!.predict!.images_per_second, 3);
});

test('ours that fails is a failure of the bench', async () => {
  const told = async () => {
    throw new Error('no such key');
  };
  await assert.rejects(runRounds([contender('graph')], 1, told, silentTerminal, SIGNAL), /no such key/);
});

test('a process answers with its last line, or with why it has none', async () => {
  const run = (code: string) => measure(process.execPath, ['-e', code], SIGNAL);
  assert.deepEqual(await run('process.stdout.write("noise\\n{\\"a\\":1}\\n")'), { a: 1 });
  await assert.rejects(
    run('process.stderr.write("long story\\nits end\\n"); process.exit(1)'),
    /^Error: it failed: its end$/,
  );
  await assert.rejects(run('process.kill(process.pid, "SIGKILL")'), /killed, as happens where memory runs out/);
});

test('what the bench does not take is refused', () => {
  const refused = (values: Record<string, string>, message: RegExp) =>
    assert.throws(
      () => readPlan(values),
      (error) => error instanceof UserError && message.test(error.message),
    );
  refused({ images: '3' }, /the keys of bench peers but received "images"/);
  refused({ resolution: '100' }, /multiple of 32/);
  refused({ rounds: '0' }, /a whole number from 1/);
  refused({ 'model.encoder': 'vgg' }, /efficientnet-b4.* model\.encoder/);
  refused({ peers: 'keras,jax' }, /keras,pytorch,stock for peers but received "jax"/);
  assert.deepEqual(readPlan({ peers: 'stock' }).peers, ['stock']);
});

test('the shared batch is the same each time: noise of 0 to 255, and a disc in each mask', () => {
  const workload = { ...readPlan({ resolution: '32', batch_size: '2' }).workload };
  const [first, second] = [drawBatch(workload), drawBatch(workload)];
  assert.deepEqual(first, second);
  const [images, masks] = ['images', 'masks'].map((name) => first.get(name)!);
  assert.deepEqual(
    [images!.shape, masks!.shape],
    [
      [2, 32, 32, 1],
      [2, 32, 32, 1],
    ],
  );
  assert.ok(images!.data.every((value) => Number.isInteger(value) && value >= 0 && value <= 255));
  assert.ok(new Set(images!.data).size > 200);
  for (const n of [0, 1]) {
    const area = masks!.data.slice(n * 1024, (n + 1) * 1024).reduce((sum, value) => sum + value, 0);
    assert.ok(area > 20 && area < 200, `${area}`);
  }
});

for (const peer of ['keras', 'pytorch']) {
  test(`every package of ${peer} is pinned`, () => {
    const path = new URL(`../../../src/commands/bench/peers/${peer}-requirements.txt`, import.meta.url);
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    assert.deepEqual(
      lines.filter((line) => !/^[a-z0-9-]+==\d[\w.]*$/.test(line)),
      [],
    );
    assert.ok(lines.includes(peer === 'keras' ? 'tensorflow-cpu==2.21.0' : 'torch==2.15.0'));
  });
}
