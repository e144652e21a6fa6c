import { type Found, type PreparedSpace, prepareSpace, searchBest } from './search.ts';
import {
  type MaskSetting,
  type Setting,
  type SettingScores,
  scoreMasks,
  scoreSetting,
  type Tabulated,
} from './setting.ts';
import { ascending, fineSpace, fineThresholds, type Grid, gridSpace, gridThresholds, type Step } from './space.ts';
import { weightGrid, weightKey, weightNeighbours } from './weights.ts';

/** Tabulates all images at several averages of the members; the averages are the result's keys (see weightKey). */
export type Tabulate = (
  weights: readonly (readonly number[])[],
  thresholds: readonly number[],
) => Promise<ReadonlyMap<string, Tabulated>>;

export interface CrossFitOptions {
  tabulate: Tabulate;
  /** Of each image its part: while a part is scored, only the others are searched. Patients are in one part each. */
  parts: Int32Array;
  /** Weights that count where they are not tuned. */
  weights: readonly number[];
  grid: Grid;
}

/** The best setting on some of the images. */
export interface Tuned {
  weights: readonly number[];
  setting: Setting;
  /** The mean Dice of the images that were searched on. */
  mean: number;
  /** What the setting comes to on all images. */
  scores: SettingScores;
}

/** What tuning some of the steps comes to. */
export interface CrossFit {
  /** On all images: what to use, and a mean that flatters it. */
  best: Tuned;
  /** Of each part, the best on all other parts. */
  withoutPart: readonly Tuned[];
  /** Of each image, what the setting comes to that was found without its part: an honest figure. */
  honest: SettingScores;
}

/** One search: some steps, on some of the images. */
interface Search {
  steps: ReadonlySet<Step>;
  held: Uint8Array;
  found: (Found & { weights: readonly number[] }) | undefined;
  tuned: Tuned | undefined;
}

/**
 * Tunes each of the lists of steps on all images and, for each part, on all others: first over a grid, then over finer values
 * around the best of each search. Images are tabulated twice in all, whatever the number of searches; `tabulated` is the second
 * time, in which each best setting's tables are.
 */
export async function crossFit(
  stepLists: readonly (readonly Step[])[],
  { tabulate, parts, weights, grid }: CrossFitOptions,
): Promise<{ fits: CrossFit[]; tabulated: ReadonlyMap<string, Tabulated> }> {
  const count = Math.max(...parts) + 1;
  const holdings = [parts.map(() => 1), ...Array.from({ length: count }, (_, part) => parts.map((p) => +(p !== part)))];
  const searches = stepLists.map((list) =>
    holdings.map((held): Search => {
      return { steps: new Set(list), held: Uint8Array.from(held), found: undefined, tuned: undefined };
    }),
  );
  const all = searches.flat();
  await searchGrid(all, { tabulate, weights, grid });
  const tabulated = await searchFinely(all, { tabulate, grid });
  const fits = searches.map(([whole, ...others]) => {
    const withoutPart = others.map(({ tuned }) => tuned!);
    return { best: whole!.tuned!, withoutPart, honest: pickByPart(withoutPart, parts) };
  });
  return { fits, tabulated };
}

async function searchGrid(
  searches: readonly Search[],
  { tabulate, weights: fixed, grid }: Omit<CrossFitOptions, 'parts'>,
): Promise<void> {
  const tunesWeights = searches.some(({ steps }) => steps.has('weights'));
  const candidates = unique([fixed, ...(tunesWeights ? weightGrid(fixed.length) : [])]);
  const tabulated = await tabulate(candidates, gridThresholds(grid));
  for (const weights of candidates) {
    const images = tabulated.get(weightKey(weights))!;
    const isFixed = weightKey(weights) === weightKey(fixed);
    const prepare = rememberSpaces(images, grid);
    for (const search of searches) {
      if (!isFixed && !search.steps.has('weights')) continue;
      const found = searchBest(prepare(search.steps), search.held);
      if (found.mean > (search.found?.mean ?? Number.NEGATIVE_INFINITY) + 1e-12) search.found = { ...found, weights };
    }
  }
}

async function searchFinely(
  searches: readonly Search[],
  { tabulate, grid }: Pick<CrossFitOptions, 'tabulate' | 'grid'>,
): Promise<ReadonlyMap<string, Tabulated>> {
  const nearby = ({ steps, found }: Search) => [
    found!.weights,
    ...(steps.has('weights') ? weightNeighbours(found!.weights) : []),
  ];
  const candidates = unique(searches.flatMap(nearby));
  const thresholds = searches.flatMap(({ found }) => fineThresholds(found!.setting));
  const tabulated = await tabulate(candidates, ascending([...gridThresholds(grid), ...thresholds]));
  for (const search of searches) {
    for (const weights of nearby(search)) {
      const images = tabulated.get(weightKey(weights))!;
      const space = fineSpace(images, search.steps, search.found!.setting, grid);
      const { setting, mean } = searchBest(prepareSpace(images, space), search.held);
      if (mean <= (search.tuned?.mean ?? Number.NEGATIVE_INFINITY) + 1e-12) continue;
      search.tuned = { weights, setting, mean, scores: scoreSetting(images, setting) };
    }
  }
  return tabulated;
}

function pickByPart(withoutPart: readonly Tuned[], parts: Int32Array): SettingScores {
  const pick = (of: (scores: SettingScores) => ArrayLike<number>) =>
    Float64Array.from(parts, (part, image) => of(withoutPart[part]!.scores)[image]!);
  return {
    dice: pick(({ dice }) => dice),
    ungated: pick(({ ungated }) => ungated),
    predicted: Uint8Array.from(pick(({ predicted }) => predicted)),
  };
}

/** A space is prepared once for all searches over the same steps, and a mask setting scored once for all spaces. */
function rememberSpaces(images: Tabulated, grid: Grid): (steps: ReadonlySet<Step>) => PreparedSpace {
  const scored = new Map<string, Float64Array>();
  const score = (setting: MaskSetting) => {
    const key = JSON.stringify(setting);
    const scores = scored.get(key) ?? scoreMasks(images, setting);
    scored.set(key, scores);
    return scores;
  };
  const prepared = new Map<string, PreparedSpace>();
  return (steps) => {
    const key = [...steps]
      .filter((step) => step !== 'weights')
      .sort()
      .join();
    const space = prepared.get(key) ?? prepareSpace(images, gridSpace(images, steps, grid), score);
    prepared.set(key, space);
    return space;
  };
}

function unique(list: readonly (readonly number[])[]): (readonly number[])[] {
  return [...new Map(list.map((weights) => [weightKey(weights), weights])).values()];
}
