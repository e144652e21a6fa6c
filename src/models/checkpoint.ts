import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256, sha256File, writeDirectoryAtomic, writeFileAtomic } from '../core/atomic-file.ts';
import { expected, UserError } from '../core/errors.ts';
import { encodeSafetensors, type NamedTensors, readSafetensors } from '../core/safetensors.ts';

/** The names under which a run's checkpoints are known; several may mean the same one. */
export const CHECKPOINT_NAMES = ['last', 'best-loss', 'best-dice', 'best-iou', 'swa', 'ema'] as const;
export type CheckpointName = (typeof CHECKPOINT_NAMES)[number];

/** The checkpoints that are averages of weights: their folders have their names, and training does not go on from them. */
export type AverageName = Extract<CheckpointName, 'swa' | 'ema'>;

/** Whether a checkpoint is an average of weights. */
export function isAverage(id: string): id is AverageName {
  return id === 'swa' || id === 'ema';
}

/** Which checkpoint each name means: `checkpoints/index.json`, replaced as a whole, so all names change at once. */
export type CheckpointIndex = Partial<Record<CheckpointName, string>>;

export interface CheckpointContent {
  weights: NamedTensors;
  /** The optimizer's slots; an average of weights has none. */
  optimizer?: NamedTensors;
  /** Epochs and updates done, metrics, and whatever else explains it. */
  state: Record<string, unknown>;
}

const MANIFEST = 'manifest.json';
type Manifest = { files: Record<string, { sha256: string; bytes: number }> };

/**
 * Writes `checkpoints/<id>/` aside, syncs it and renames it: weights and optimizer as safetensors, the state as JSON,
 * and a manifest with the SHA-256 of each. Returns the digest of the weights.
 */
export async function saveCheckpoint(runDir: string, id: string, content: CheckpointContent): Promise<string> {
  const files: Record<string, Uint8Array> = {
    'weights.safetensors': encodeSafetensors(content.weights),
    ...(content.optimizer === undefined ? {} : { 'optimizer.safetensors': encodeSafetensors(content.optimizer) }),
    'state.json': Buffer.from(`${JSON.stringify(content.state, null, 2)}\n`),
  };
  const manifest: Manifest = { files: {} };
  for (const [name, bytes] of Object.entries(files)) {
    manifest.files[name] = { sha256: sha256(bytes), bytes: bytes.length };
  }
  await writeDirectoryAtomic(checkpointDir(runDir, id), async (aside) => {
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(aside, name), bytes);
    await writeFile(join(aside, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  });
  return manifest.files['weights.safetensors']!.sha256;
}

/** The SHA-256 that weights have as a checkpoint's file. */
export function digestOfWeights(weights: NamedTensors): string {
  return sha256(encodeSafetensors(weights));
}

/** Reads a checkpoint's weights after comparing every file with the manifest. Throws where one is missing or damaged. */
export async function readCheckpoint(runDir: string, id: string): Promise<{ weights: NamedTensors; sha256: string }> {
  const dir = checkpointDir(runDir, id);
  const manifest = JSON.parse(await readFile(join(dir, MANIFEST), 'utf8')) as Manifest;
  for (const [name, wanted] of Object.entries(manifest.files)) {
    const found = await sha256File(join(dir, name));
    if (found !== wanted.sha256) throw new Error(expected(`SHA-256 ${wanted.sha256}`, join(dir, name), found));
  }
  const weights = await readSafetensors(join(dir, 'weights.safetensors'));
  return { weights, sha256: manifest.files['weights.safetensors']!.sha256 };
}

/** Points names at checkpoints and removes the checkpoints that no name means any more. Returns the ids removed. */
export async function pointCheckpoints(runDir: string, names: CheckpointIndex): Promise<string[]> {
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
  const names = Object.keys(index);
  const next = names.length === 0 ? 'It has none yet.' : `It has ${names.join(', ')}.`;
  throw new UserError(expected('a checkpoint that the run has', runDir, name, next));
}

/** Where a checkpoint lies. */
export function checkpointDir(runDir: string, id: string): string {
  return join(runDir, 'checkpoints', id);
}

function indexPath(runDir: string): string {
  return join(runDir, 'checkpoints', 'index.json');
}
