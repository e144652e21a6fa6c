import type { Runs } from '../../core/rle.ts';
import { evidenceOf, type GateConfig, meanPresence } from '../../postprocess/gate.ts';
import type { MemberImage } from '../../postprocess/index.ts';
import { type Average, averageMaps, widenMap } from '../../postprocess/mean-probability.ts';
import { type Statistic, statisticOf } from '../../postprocess/statistic.ts';
import { type MaskTables, prepareTruth, tabulateMasks } from './mask-tables.ts';

/** What a gate looks at, without its threshold. */
export type EvidenceKind = Omit<GateConfig, 'threshold'>;

/** What is tabulated of every image. */
export interface TabulateJob {
  /** Weights of all members, once for each average that is looked at. */
  weights: readonly (readonly number[])[];
  /** Ascending. */
  thresholds: readonly number[];
  evidence: readonly EvidenceKind[];
  /** Side of the masks. */
  size: number;
  /** What of the members is averaged. */
  average: Average;
}

/** An image's probabilities and truth. */
export interface ImageInput {
  /** Of each member, in their order; undefined where it has no word on this image. */
  members: readonly (MemberImage | undefined)[];
  /** The run whose evidence counts, where it is not the members'. */
  gate: MemberImage | undefined;
  truth: Runs;
}

/** What an image comes to at one average of the members. */
export interface TabulatedImage {
  tables: MaskTables;
  /** By the job's kinds. */
  evidence: number[];
}

/** Tabulates an image at each of the job's weights. */
export function tabulateImage({ members, gate, truth }: ImageInput, job: TabulateJob): TabulatedImage[] {
  const { weights, thresholds, evidence: kinds, size, average } = job;
  const prepared = prepareTruth(truth, size);
  const gateEvidence = gate && kinds.map((kind) => evidenceOf([gate], kind, size));
  const voters = members.flatMap((member, place) => (member === undefined ? [] : [{ member, place }]));
  const maps = voters.map(({ member }, voter) => widenMap(member, size, memory(voter, size)));
  return weights.map((each) => {
    const shares = voters.map(({ place }) => each[place]!);
    const mean = averageMaps(maps, shares, memory(voters.length, size), average);
    const weighted = voters.map(({ member }, voter) => ({ ...member, weight: shares[voter]! }));
    const evidence = gateEvidence ?? kinds.map((kind) => evidenceIn(mean, weighted, kind));
    return { tables: tabulateMasks(mean, prepared, thresholds), evidence };
  });
}

/** A thread's pictures, one image after another: asking the system for megabytes each time takes longer than filling them. */
const kept: Float64Array<ArrayBuffer>[] = [];

function memory(place: number, size: number): Float64Array<ArrayBuffer> {
  if (kept[place]?.length !== size * size) kept[place] = new Float64Array(size * size);
  return kept[place];
}

/** `evidenceOf`, with the mean probability at hand. */
function evidenceIn(mean: Float64Array, voters: readonly MemberImage[], { statistic, pixels, above }: EvidenceKind) {
  if (statistic === 'presence') return meanPresence(voters);
  return statisticOf(mean, { name: statistic, pixels, above } as Statistic);
}
