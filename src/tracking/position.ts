import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected } from '../core/errors.ts';

/** How far a run's journal has got into MLflow: what `<run>/mlflow.json` holds. */
export interface UploadPosition {
  tracking_uri: string;
  experiment_id: string;
  /** MLflow's id of the run. */
  run_id: string;
  /** Everything before this byte of the journal is in MLflow. */
  offset: number;
}

const POSITION_FILE = 'mlflow.json';

/** Where an upload stands; undefined where none began. Throws Error where the file is not what it should be. */
export function readPosition(runDir: string): UploadPosition | undefined {
  const path = join(runDir, POSITION_FILE);
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const position = JSON.parse(text) as UploadPosition;
    if (typeof position.run_id === 'string' && Number.isSafeInteger(position.offset)) return position;
  } catch {
    // Said below, as for any other wrong content.
  }
  const next = 'Delete it: `npm run sync` then finds the run in MLflow again.';
  throw new Error(expected('an upload position', path, text, next));
}

/** Remembers where an upload stands, whole or not at all. */
export async function writePosition(runDir: string, position: UploadPosition): Promise<void> {
  await writeFileAtomic(join(runDir, POSITION_FILE), `${JSON.stringify(position, null, 2)}\n`);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
