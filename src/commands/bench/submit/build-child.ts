import type { Submission } from '../../../config/submission.ts';
import { silentTerminal } from '../../../core/terminal.ts';
import type { ProbabilitySource } from '../../../predict/probability-source.ts';
import { openProbabilityStore } from '../../../predict/probability-store.ts';
import { buildSubmission } from '../../../submit/build.ts';
import { planSubmission } from '../../../submit/plan.ts';

/** What is built, in a process of its own so that its memory is known. */
export interface BuildJob {
  stores: string[];
  /** With a sample submission of stage 2. */
  dataRoot: string;
  folder: string;
  threshold: number;
  area: number;
}

export interface BuildFigures {
  seconds: number;
  peak_rss_bytes: number;
  csv: string;
  rows: number;
  positives: number;
}

/** Builds as `submit` does, but for probabilities that are there already. */
async function build({ stores, dataRoot, folder, threshold, area }: BuildJob): Promise<BuildFigures> {
  const source: ProbabilitySource = {
    describe: async ({ run }) => ({
      ...{ run_id: run, run_dir: folder, checkpoint_id: 'synthetic', checkpoint_sha256: run },
      ...{ data_digest: 'synthetic', data_root: dataRoot, presence_head: false },
      ...{ architecture: 'synthetic', labelled: { images: 0, areas: [] } },
    }),
    validationOf: async () => [],
    probabilitiesOf: async ({ run }) => await openProbabilityStore(stores[Number(run)]!),
  };
  const submission: Submission = {
    name: 'bench',
    members: stores.map((_, place) => ({ run: String(place), checkpoint: 'last', weight: 1 })),
    tta: ['none', 'hflip'],
    postprocess: { average: 'probabilities', threshold, fill_holes: false, min_component_area: area },
  };
  const started = performance.now();
  const plan = await planSubmission(submission, 2, { source, folder, stamp: '20190901-000000' });
  const { signal } = new AbortController();
  const built = await buildSubmission(plan, { source, commit: undefined, signal }, silentTerminal);
  const seconds = (performance.now() - started) / 1000;
  const { csv, rows, positives } = built;
  return { seconds, peak_rss_bytes: process.resourceUsage().maxRSS * 1024, csv, rows, positives };
}

const figures = await build(JSON.parse(process.argv[2]!) as BuildJob);
process.stdout.write(JSON.stringify(figures));
