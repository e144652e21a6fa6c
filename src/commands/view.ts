import { relative, resolve } from 'node:path';
import { resolvePath } from '../config/paths.ts';
import { readSettings } from '../config/settings.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { writingTo } from '../data/disk.ts';
import { countLooks, viewPage } from '../leaderboard/view-page.ts';
import { LOOKS, openView } from '../leaderboard/view-source.ts';
import type { Command } from './command.ts';
import { readWhole } from './values.ts';

/** `npm run view <submission|run>`: a page of images with the outlines of truth and prediction. */
export const viewCommand: Command = {
  name: 'view',
  summary: 'write a page of images with the outlines of truth and prediction, by kind of error',
  usage: '<submission|run> [key=value …]',
  keys: {
    truth: 'of a submission: the label file; default: the labels of the data root',
    run: 'of a submission: the run whose data has the pictures; default: its first member',
    images: 'how many images of each kind are shown, those that cost most first (60)',
    out: 'where the page goes (reports/view-<name>.html)',
  },
  overrides: false,
  run: async ({ words, values, cwd, signal }, terminal) => {
    const most = readWhole('images', values.images ?? '60');
    const { runsDir } = await readSettings(cwd);
    const options = {
      ...{ runsDir, folder: resolve(cwd, 'submissions'), cwd, run: values.run },
      truth: values.truth === undefined ? undefined : resolvePath(values.truth, cwd),
    };
    const source = await openView(words[0]!, resolvePath(words[0]!, cwd), options, terminal);
    try {
      const counts = countLooks(source.scores);
      const progress = terminal.progress(
        'pictures',
        LOOKS.reduce((sum, look) => sum + Math.min(most, counts[look]), 0),
      );
      const text = await viewPage(source, most, { advance: () => progress.advance(), signal }).finally(progress.stop);
      const path = resolvePath(values.out ?? `reports/view-${source.name}.html`, cwd);
      await writingTo(path, () => writeFileAtomic(path, text));
      terminal.say(`page         ${relative(cwd, path)}`);
      return { json: { name: source.name, images: source.scores.length, counts, page: path } };
    } finally {
      source.close();
    }
  },
};
