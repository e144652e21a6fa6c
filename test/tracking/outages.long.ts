import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { measureWay } from '../../src/commands/bench/tracking/measure.ts';
import { WAYS } from '../../src/commands/bench/tracking/ways.ts';
import { preparePhantom } from '../../src/commands/prepare-phantom.ts';
import { type Experiment, parseExperiment } from '../../src/config/experiment.ts';
import { readSettings } from '../../src/config/settings.ts';
import { silentTerminal } from '../../src/core/terminal.ts';

const FILE = new URL('../../src/commands/bench/tracking/experiment.yml', import.meta.url).pathname;
const signal = new AbortController().signal;

let cwd: string;
let experiment: Experiment;
before(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'outages-'));
  experiment = await parseExperiment(FILE, { resolution: '32', epochs: '2', 'data.phantom.images': '40' }, cwd);
  await preparePhantom(experiment, { cwd, signal }, silentTerminal);
});
after(async () => await rm(cwd, { recursive: true, force: true }));

for (const way of WAYS) {
  test(`a run in front of a server that ${way.what} ends well, and a sync brings what was not there`, async () => {
    const measured = await measureWay(experiment, way, { cwd, settings: await readSettings(cwd), signal });
    assert.ok(measured.points > 30, `${measured.points}`);
    assert.equal(measured.lost, 0);
    if (way.name === 'healthy') assert.equal(measured.waiting, 0);
    if (['hung', 'failing', 'busy', 'never'].includes(way.name)) assert.equal(measured.waiting, measured.points);
  });
}
