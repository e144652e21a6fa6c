import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256, sha256File, writeDirectoryAtomic, writeFileAtomic } from '../core/atomic-file.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import {
  encodeSafetensors,
  type NamedDoubles,
  type NamedTensors,
  readSafetensors,
  readSafetensorsDoubles,
} from '../core/safetensors.ts';

/** The most epochs that are kept by their Dice (`keep_top_k`). */
export const MOST_TOP = 9;

/** The names under which a run's checkpoints are known; several may mean the same one. `top-1` is the best epoch by Dice. */
export const CHECKPOINT_NAMES = [
  ...(['last', 'best-loss', 'best-dice', 'best-iou', 'swa', 'ema'] as const),
  ...(['top-1', 'top-2', 'top-3', 'top-4', 'top-5', 'top-6', 'top-7', 'top-8', 'top-9'] as const),
] as const;
export type CheckpointName = (typeof CHECKPOINT_NAMES)[number];

/** The checkpoints that are averages of weights: their folders have their names, and training does not go on from them. */
export type AverageName = Extract<CheckpointName, 'swa' | 'ema'>;

/** Whether a checkpoint is an average of weights. */
export function isAverage(id: string): id is AverageName {
  return id === 'swa' || id === 'ema';
}

/**
 * Which checkpoint each name means: `checkpoints/index.json`, replaced as a whole, so all names change at once. `previous` is
 * what `last` meant before: it stays for the day on which the last one turns out to be damaged.
 */
export type CheckpointIndex = Partial<Record<CheckpointName | 'previous', string>>;

export interface CheckpointContent {
  weights: NamedTensors;
  /** What training goes on from beside the weights; an average of weights has none. */
  training?: TrainingArrays;
  /** Epochs and updates done, metrics, and whatever else explains it. */
  state: Record<string, unknown>;
}

/** The arrays that training goes on from beside the weights. */
export interface TrainingArrays {
  /** The optimizer's slots, gathered gradients and the moving average. */
  optimizer: NamedTensors;
  /** The sums of the plain mean of weights; empty where there is none. */
  sums: NamedDoubles;
}

const MANIFEST = 'manifest.json';
const WEIGHTS = 'weights.safetensors';
const OPTIMIZER = 'optimizer.safetensors';
const SUMS = 'averages.safetensors';
const STATE = 'state.json';
const TRAINING_FILES: readonly string[] = [OPTIMIZER, SUMS];
type Manifest = { files: Record<string, { sha256: string; bytes: number }> };

/**
 * Writes `checkpoints/<id>/` aside, syncs it and renames it: weights, optimizer and sums as safetensors, the state as JSON,
 * and a manifest with the SHA-256 of each. What lay there, a damaged one, is replaced. Returns the digest of the weights.
 */
export async function saveCheckpoint(runDir: string, id: string, content: CheckpointContent): Promise<string> {
  const { training } = content;
  const files: Record<string, Uint8Array> = {
    [WEIGHTS]: encodeSafetensors(content.weights),
    ...(training === undefined ? {} : { [OPTIMIZER]: encodeSafetensors(training.optimizer) }),
    ...(training === undefined || training.sums.size === 0 ? {} : { [SUMS]: encodeSafetensors(training.sums) }),
    [STATE]: Buffer.from(`${JSON.stringify(content.state, null, 2)}\n`),
  };
  const manifest: Manifest = { files: {} };
  for (const [name, bytes] of Object.entries(files)) {
    manifest.files[name] = { sha256: sha256(bytes), bytes: bytes.length };
  }
  const fill = async (aside: string) => {
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(aside, name), bytes);
    await writeFile(join(aside, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  };
  await writeDirectoryAtomic(checkpointDir(runDir, id), fill, { replace: true });
  return manifest.files[WEIGHTS]!.sha256;
}

/** The SHA-256 that weights have as a checkpoint's file. */
export function digestOfWeights(weights: NamedTensors): string {
  return sha256(encodeSafetensors(weights));
}

/** Reads a checkpoint's weights after comparing every file with the manifest. Throws UserError where one is missing or damaged. */
export async function readCheckpoint(runDir: string, id: string): Promise<{ weights: NamedTensors; sha256: string }> {
  const dir = checkpointDir(runDir, id);
  const manifest = await verify(dir);
  return { weights: await readSafetensors(join(dir, WEIGHTS)), sha256: manifest.files[WEIGHTS]!.sha256 };
}

/** The SHA-256 of a checkpoint's weights, by its manifest alone. Throws where there is none. */
export async function readWeightsDigest(runDir: string, id: string): Promise<string> {
  return (await readManifest(join(checkpointDir(runDir, id), MANIFEST))).files[WEIGHTS]!.sha256;
}

/** A checkpoint that training goes on from, every file of it compared with the manifest. Throws as readCheckpoint does. */
export async function readTrainingCheckpoint(runDir: string, id: string): Promise<Required<CheckpointContent>> {
  const dir = checkpointDir(runDir, id);
  const { files } = await verify(dir);
  const sums: NamedDoubles = SUMS in files ? await readSafetensorsDoubles(join(dir, SUMS)) : new Map();
  return {
    weights: await readSafetensors(join(dir, WEIGHTS)),
    training: { optimizer: await readSafetensors(join(dir, OPTIMIZER)), sums },
    state: JSON.parse(await readFile(join(dir, STATE), 'utf8')) as Record<string, unknown>,
  };
}

/** Where training stood at a checkpoint, as it is written and compared with nothing yet. Throws where that is no JSON. */
export async function readCheckpointState(runDir: string, id: string): Promise<unknown> {
  return JSON.parse(await readFile(join(checkpointDir(runDir, id), STATE), 'utf8'));
}

/** The ids under `checkpoints/`, whole or not; what was being written when a process died is none. */
export async function listCheckpoints(runDir: string): Promise<string[]> {
  const folder = join(runDir, 'checkpoints');
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
}

/** Whether a checkpoint is whole without what training goes on from (see stripCheckpoint); of a damaged one that is not said. */
export async function hasWeightsAlone(runDir: string, id: string): Promise<boolean> {
  const manifest = await readManifest(join(checkpointDir(runDir, id), MANIFEST)).catch(() => undefined);
  return manifest !== undefined && !(OPTIMIZER in manifest.files);
}

/** The files of a checkpoint that only training needs, as far as they are there. Throws where its manifest is damaged. */
export async function trainingFiles(runDir: string, id: string): Promise<string[]> {
  await readManifest(join(checkpointDir(runDir, id), MANIFEST));
  const there = await readdir(checkpointDir(runDir, id));
  return TRAINING_FILES.filter((name) => there.includes(name));
}

/** Leaves a checkpoint its weights alone: no run goes on from it any more. First its manifest says so, then the files go. */
export async function stripCheckpoint(runDir: string, id: string): Promise<void> {
  const dir = checkpointDir(runDir, id);
  const { files } = await readManifest(join(dir, MANIFEST));
  const kept = Object.fromEntries(Object.entries(files).filter(([name]) => !TRAINING_FILES.includes(name)));
  await writeFileAtomic(join(dir, MANIFEST), `${JSON.stringify({ files: kept } satisfies Manifest, null, 2)}\n`);
  for (const name of await trainingFiles(runDir, id)) await rm(join(dir, name));
}

/** Removes a checkpoint: first the names that mean it, then its files. */
export async function removeCheckpoint(runDir: string, id: string): Promise<void> {
  const index = await readCheckpointIndex(runDir);
  const left = Object.fromEntries(Object.entries(index).filter(([, meant]) => meant !== id));
  if (existsSync(indexPath(runDir))) await writeFileAtomic(indexPath(runDir), `${JSON.stringify(left, null, 2)}\n`);
  await rm(checkpointDir(runDir, id), { recursive: true });
}

/** Compares every file of a checkpoint with its manifest. Throws UserError, naming the file, where one is missing or damaged. */
async function verify(dir: string): Promise<Manifest> {
  const manifest = await readManifest(join(dir, MANIFEST));
  for (const [name, wanted] of Object.entries(manifest.files)) {
    const path = join(dir, name);
    const found = await sha256File(path).catch(messageOf);
    if (found !== wanted.sha256) throw new UserError(expected(`SHA-256 ${wanted.sha256}`, path, found));
  }
  return manifest;
}

async function readManifest(path: string): Promise<Manifest> {
  const text = await readFile(path, 'utf8').catch(messageOf);
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.files[WEIGHTS] !== undefined) return manifest;
  } catch {}
  throw new UserError(expected('a list of files with their SHA-256', path, text));
}

/**
 * Points names at checkpoints, those that are undefined at none, and removes the checkpoints that no name means any more.
 * Returns the ids removed.
 */
export async function pointCheckpoints(
  runDir: string,
  names: { [N in keyof CheckpointIndex]: string | undefined },
): Promise<string[]> {
  const index = { ...(await readCheckpointIndex(runDir)), ...names };
  await writeFileAtomic(indexPath(runDir), `${JSON.stringify(index, null, 2)}\n`);
  const meant = new Set(Object.values(index));
  const entries = await readdir(join(runDir, 'checkpoints'), { withFileTypes: true });
  const unmeant = entries.filter((entry) => entry.isDirectory() && !meant.has(entry.name)).map((entry) => entry.name);
  for (const id of unmeant) await rm(checkpointDir(runDir, id), { recursive: true });
  return unmeant;
}

/** Which checkpoints a run has; empty when it has none yet. */
export async function readCheckpointIndex(runDir: string): Promise<CheckpointIndex> {
  if (!existsSync(indexPath(runDir))) return {};
  return JSON.parse(await readFile(indexPath(runDir), 'utf8')) as CheckpointIndex;
}

/** The id that a name means in a run. Throws UserError with the names that the run has when it lacks this one. */
export async function findCheckpoint(runDir: string, name: CheckpointName): Promise<string> {
  const index = await readCheckpointIndex(runDir);
  const id = index[name];
  if (id !== undefined) return id;
  const names = Object.keys(index).filter((each) => each !== 'previous');
  const next = names.length === 0 ? 'It has none yet.' : `It has ${names.join(', ')}.`;
  throw new UserError(expected('a checkpoint that the run has', runDir, name, next));
}

/** Whether a checkpoint is there; nothing of it is read. */
export function hasCheckpoint(runDir: string, id: string): boolean {
  return existsSync(join(checkpointDir(runDir, id), MANIFEST));
}

/** Where a checkpoint lies. */
export function checkpointDir(runDir: string, id: string): string {
  return join(runDir, 'checkpoints', id);
}

function indexPath(runDir: string): string {
  return join(runDir, 'checkpoints', 'index.json');
}
