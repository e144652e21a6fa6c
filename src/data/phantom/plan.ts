import type { ImageSet } from '../../core/competition.ts';
import type { Rng } from '../../core/random.ts';
import { streamOf } from './field.ts';

/** One synthetic person: the images of a patient share anatomy, and mostly the side and site of the disease. */
export interface PhantomPatient {
  /** A UUID, as the competition's PatientID. */
  id: string;
  sex: 'F' | 'M';
  age: number;
  /** Whether most of this patient's images are positive. */
  prone: boolean;
}

/** One file to be made, decided before any pixel is drawn. */
export interface PhantomImage {
  /** What the labels call it: the SOP Instance UID in stage 1, `ID_` and nine hexadecimal digits in stage 2. */
  id: string;
  set: ImageSet;
  /** Counts over the whole phantom from 0. */
  number: number;
  patient: PhantomPatient;
  sopUid: string;
  studyUid: string;
  seriesUid: string;
  view: 'PA' | 'AP';
  positive: boolean;
  /** False: it has no row in any label file or sample. */
  labelled: boolean;
  /** Whether the JPEG stream carries the bytes of a DICOM item tag (two files of the real set do). */
  itemTagInside: boolean;
}

/** The share of positives in the real training set: 2,669 of 12,047. */
const POSITIVE_SHARE = 0.22;
/**
 * The competition's patients: P(positive) = 0.22, P(positive | another image of the patient is) = 0.56. With a share s of
 * prone patients, p of whose images are positive against q: s·p + (1−s)·q = 0.22, (s·p² + (1−s)·q²) / 0.22 = 0.56.
 */
const PRONE = { share: 0.28, inside: 0.65, outside: 0.05 };

/**
 * Decides every image of a phantom: `images` labelled ones to train on, an eighth of that for stage 1's test, a quarter for
 * stage 2 (at least 4 each), and a few without labels in stage 1's two folders.
 */
export function planPhantom(images: number, seed: number): PhantomImage[] {
  const counts: [ImageSet, number, number][] = [
    ['stage1-train', images, Math.max(2, Math.round(images / 120))],
    ['stage1-test', Math.max(4, Math.round(images / 8)), Math.max(1, Math.round(images / 400))],
    ['stage2-test', Math.max(4, Math.round(images / 4)), 0],
  ];
  const planned = counts.flatMap(([set, labelled, unlabelled]) => planSet(set, labelled, unlabelled, seed));
  const odd = new Set(
    streamOf(seed, 'item-tag', 0)
      .shuffle([...planned.keys()])
      .slice(0, 2),
  );
  return planned.map((image, number) => ({ ...image, number, itemTagInside: odd.has(number) }));
}

function planSet(set: ImageSet, labelled: number, unlabelled: number, seed: number): PhantomImage[] {
  const rng = streamOf(seed, 'plan', set);
  const images: PhantomImage[] = [];
  while (images.length < labelled + unlabelled) {
    const patient = drawPatient(rng);
    const size = images.length === 0 ? 2 : drawGroupSize(rng);
    for (let i = 0; i < size && images.length < labelled + unlabelled; i++) images.push(drawImage(set, patient, rng));
  }
  const order = rng.shuffle([...images.keys()]);
  for (const index of order.slice(0, unlabelled)) images[index]!.labelled = false;
  markPositives(images, rng);
  return rng.shuffle(images);
}

function drawPatient(rng: Rng): PhantomPatient {
  const sex = rng.chance(0.45) ? 'F' : 'M';
  const age = Math.round(Math.min(94, Math.max(2, 47 + 17 * rng.normal())));
  return { id: drawUuid(rng), sex, age, prone: rng.chance(PRONE.share) };
}

/** About half of the images have a patient to themselves; the mean is two images a patient. */
function drawGroupSize(rng: Rng): number {
  let size = 1;
  while (size < 9 && rng.chance(0.47)) size++;
  return size;
}

function drawImage(set: ImageSet, patient: PhantomPatient, rng: Rng): PhantomImage {
  const [sopUid, studyUid, seriesUid] = [drawUid(rng), drawUid(rng), drawUid(rng)];
  const id = set === 'stage2-test' ? `ID_${drawUuid(rng).replaceAll('-', '').slice(0, 9)}` : sopUid;
  const view = rng.chance(0.6) ? 'PA' : 'AP';
  const made = { number: 0, positive: false, labelled: true, itemTagInside: false };
  return { id, set, patient, sopUid, studyUid, seriesUid, view, ...made };
}

/**
 * Marks the set's share of positives among its labelled images, prone patients' the likelier: sampling without
 * replacement by the keys −log(u)/weight (Efraimidis and Spirakis, 2006), so that the share is exact in every set.
 */
function markPositives(images: PhantomImage[], rng: Rng): void {
  const keyed = images
    .filter((image) => image.labelled)
    .map((image) => {
      // With weight −log(1−p), the chance to be among those whose key is below 1 is p.
      const weight = -Math.log(1 - (image.patient.prone ? PRONE.inside : PRONE.outside));
      return { image, key: -Math.log(1 - rng.uniform()) / weight };
    });
  keyed.sort((a, b) => a.key - b.key);
  const count = Math.max(1, Math.round(keyed.length * POSITIVE_SHARE));
  for (const { image } of keyed.slice(0, count)) image.positive = true;
}

/** A random UUID (RFC 9562, version 4). */
function drawUuid(rng: Rng): string {
  const digits = Array.from({ length: 32 }, () => rng.integer(0, 15).toString(16));
  digits[12] = '4';
  digits[16] = (8 + rng.integer(0, 3)).toString(16);
  const hex = digits.join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** A UID made of a UUID: `2.25.` and its value in decimal (PS3.5, B.2). */
function drawUid(rng: Rng): string {
  return `2.25.${BigInt(`0x${drawUuid(rng).replaceAll('-', '')}`)}`;
}
