import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSubmission, type Submission, type SubmissionMember } from '../../src/config/submission.ts';
import { UserError } from '../../src/core/errors.ts';
import type { PredictionTarget, ProbabilitySource, TruthImage } from '../../src/predict/probability-source.ts';
import { createProbabilityStore, openProbabilityStore } from '../../src/predict/probability-store.ts';

/** What a run of the fixture predicts: a map of [resolution, resolution] per image. */
export interface FixtureRun {
  resolution: number;
  maps: Record<string, Uint8Array>;
  /** What its presence head says of each image; without, it has none. */
  presences?: Record<string, number>;
  truth?: TruthImage[];
  dataRoot?: string;
  /** What its network is; the run's name when left out. */
  architecture?: string;
}

/** A folder with a data root (sample submissions) and a place for submissions. */
export interface Fixture {
  folder: string;
  root: string;
  submissions: string;
  source(runs: Record<string, FixtureRun>): ProbabilitySource & { opened: PredictionTarget[] };
  submission(text: string): Promise<Submission>;
}

/** The sample: no header, a byte order mark, no final newline, as the competition's; image b is asked for twice. */
export const SAMPLE = '\uFEFFb,1 2\na,-1\nc,-1\nb,1 2';

export async function makeFixture(): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'submission-'));
  const root = join(folder, 'data');
  await mkdir(root);
  await writeFile(join(root, 'sample_submission.csv'), SAMPLE);
  await writeFile(join(root, 'stage_2_sample_submission.csv'), 'ImageId,EncodedPixels\nc,-1\n');
  return {
    folder,
    root,
    submissions: join(folder, 'submissions'),
    source: (runs) => fixtureSource(folder, root, runs),
    submission: async (text) => {
      const file = join(folder, 'submission.yml');
      await writeFile(file, text);
      return await parseSubmission(file);
    },
  };
}

function fixtureSource(folder: string, root: string, runs: Record<string, FixtureRun>) {
  const find = ({ run }: SubmissionMember) => {
    const found = runs[run];
    if (found === undefined) throw new UserError(`Expected a checkpoint that the run has, but there is no ${run}.`);
    return found;
  };
  const opened: PredictionTarget[] = [];
  const source: ProbabilitySource = {
    describe: async (member) => ({
      run_id: `20190901-101500-${member.run}`,
      run_dir: join(folder, 'runs', member.run),
      checkpoint_id: 'epoch-0001',
      checkpoint_sha256: 'c0ffee',
      data_digest: 'd1ge57',
      architecture: `network ${find(member).architecture ?? member.run}`,
      labelled: { images: 4, areas: [4, 9] },
      data_root: find(member).dataRoot ?? root,
      presence_head: find(member).presences !== undefined,
    }),
    validationOf: async (member) => find(member).truth ?? [],
    probabilitiesOf: async (member, tta, target) => {
      opened.push(target);
      const { resolution, maps, presences } = find(member);
      const path = join(folder, `${member.run}.probs`);
      const writer = await createProbabilityStore(path, { resolution, checkpoint: 'c0ffee', tta: [...tta] });
      for (const [id, map] of Object.entries(maps)) await writer.append(id, map, presences?.[id]);
      await writer.finish();
      return await openProbabilityStore(path);
    },
  };
  return { ...source, opened };
}

/** A map that is `inside` in rows and columns [from, to) and `outside` elsewhere. */
export function squareMap(resolution: number, from: number, to: number, inside = 255, outside = 0): Uint8Array {
  const isIn = (at: number) => at >= from && at < to;
  return Uint8Array.from({ length: resolution ** 2 }, (_, index) =>
    isIn(index % resolution) && isIn(Math.floor(index / resolution)) ? inside : outside,
  );
}
