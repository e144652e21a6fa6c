import { relative, resolve } from 'node:path';
import { readSettings } from '../../config/settings.ts';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import { expected } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import { readLabelRows } from '../../data/labels.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { readWhole } from '../values.ts';
import { ensureBenchPython } from './bench-python.ts';
import { describeMachine } from './peers/machine.ts';
import { measurePixels, measurePython, measureRuns } from './rle/measure.ts';
import { ensureRealLabels } from './rle/real-labels.ts';
import { median, type RleFigures, ratioOfRle, rleReport } from './rle/report.ts';

/**
 * `npm run bench rle [truth=<rle.csv>] [rounds=1]`: decodes and encodes every row of the competition's real label file,
 * here and row by row in Python with numpy. Writes `reports/bench-rle.md`.
 */
export async function benchRle({ values, cwd, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const rounds = readWhole('rounds', values.rounds ?? '1');
  const { cacheDir } = await readSettings(cwd);
  const python = await ensureBenchPython(cacheDir, terminal, signal);
  const path =
    values.truth === undefined ? await ensureRealLabels(python, cacheDir, signal) : resolve(cwd, values.truth);
  const codes = (await readLabelRows(path)).rows.map(({ rle }) => rle);
  const measured: RleFigures[] = [];
  for (let round = 1; round <= rounds; round++) {
    terminal.say(`round ${round}: ${codes.length} rows here, then in Python`);
    const pixels = measurePixels(codes);
    const runs = measureRuns(codes);
    measured.push({ pixels, runs, ...(await measurePython(python, path, signal)) });
  }
  const figures = median(measured);
  if (figures.numpy.rows !== codes.length) {
    throw new Error(expected(`${codes.length} rows`, 'the Python side of the bench', figures.numpy.rows));
  }
  const words = Object.entries(values).map(([key, value]) => ` ${key}=${value}`);
  const head = {
    command: `npm run bench rle${words.join('')}`,
    date: new Date().toISOString().slice(0, 10),
    machine: await describeMachine(),
    masks: codes.filter((code) => code !== '-1').length,
    rounds,
  };
  const to = resolve(cwd, 'reports/bench-rle.md');
  const report = rleReport(head, figures);
  await writeFileAtomic(to, report);
  terminal.say(report);
  terminal.say(`${relative(cwd, to)} has the same.`);
  return { json: { ...figures, ratio: ratioOfRle(figures), report: to } };
}
