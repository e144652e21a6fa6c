import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Metric, MlflowClient, Tag } from 'mlflow-js-client';
import { LIMITS } from 'mlflow-js-client';
import sharp from 'sharp';
import type { JournalEntry } from './journal-entry.ts';
import { registerModel } from './register-model.ts';

/** Where entries go. */
export interface Destination {
  client: MlflowClient;
  /** MLflow's id of the run. */
  runId: string;
  /** The folder that the journal's files are relative to. */
  runDir: string;
  /** What the run already has: params are immutable, so only new ones are sent. */
  params: Map<string, string>;
  warn(line: string): void;
}

type EntryOf<Type extends JournalEntry['type']> = Extract<JournalEntry, { type: Type }>;

/** Longest side in pixels of the small picture that MLflow's grid shows. */
const THUMBNAIL_SIZE = 256;

/** Sends one entry; sending it again leaves MLflow as it was. Throws MlflowError or RangeError, or a file's error. */
export async function sendEntry(to: Destination, entry: JournalEntry): Promise<void> {
  switch (entry.type) {
    case 'run':
      return await sendRun(to, entry);
    case 'metrics':
      return await to.client.logBatch(to.runId, { metrics: toMetrics(entry) });
    case 'tags':
      return await to.client.logBatch(to.runId, { tags: toTags(entry.tags) });
    case 'artifact':
      return await to.client.uploadArtifact(to.runId, entry.artifact_path, join(to.runDir, entry.file));
    case 'image':
      return await sendImage(to, entry);
    case 'dataset':
      return await sendDataset(to, entry);
    case 'model':
      return await registerModel(to, entry);
    case 'end':
      return await to.client.updateRun(to.runId, {
        status: entry.status,
        ...(entry.status === 'RUNNING' ? {} : { endTime: entry.time }),
      });
  }
}

/** The points of one line, all stamped when they were recorded. */
export function toMetrics({ values, time, step }: EntryOf<'metrics'>): Metric[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: Number(value), timestamp: time, step }));
}

async function sendRun(to: Destination, entry: EntryOf<'run'>): Promise<void> {
  const params = Object.entries(entry.params).map(([key, value]) => ({ key, value: fit(value, LIMITS.paramLength) }));
  const changed = params.filter(({ key, value }) => (to.params.get(key) ?? value) !== value).map(({ key }) => key);
  if (changed.length > 0) to.warn(`MLflow keeps the first value of ${changed.join(', ')}: params are immutable there.`);
  await to.client.updateRun(to.runId, { status: 'RUNNING', runName: entry.name });
  const added = params.filter(({ key }) => !to.params.has(key));
  await to.client.logBatch(to.runId, { tags: toTags(entry.tags), params: added });
  for (const { key, value } of added) to.params.set(key, value);
}

async function sendDataset(
  to: Destination,
  { name, digest, context, source, profile }: EntryOf<'dataset'>,
): Promise<void> {
  const dataset = {
    name,
    digest,
    source_type: 'local',
    source: JSON.stringify({ uri: source }),
    profile: JSON.stringify(profile),
  };
  await to.client.logInputs(to.runId, [{ dataset, tags: [{ key: 'mlflow.data.context', value: context }] }]);
}

/** The names are those that MLflow's UI groups by key and step; the same entry always has the same name. */
async function sendImage(to: Destination, { file, key, step, time }: EntryOf<'image'>): Promise<void> {
  if (!/^[\w\-./ ]+$/.test(key)) throw new RangeError(`Expected letters, digits and "_-./ " for image key "${key}".`);
  const path = join(to.runDir, file);
  const name = `images/${key.replaceAll('/', '~')}+step+${step}+timestamp+${time}+${uuidOf(key, step, time)}`;
  const thumbnail = sharp(path).resize(THUMBNAIL_SIZE, THUMBNAIL_SIZE, { fit: 'inside', withoutEnlargement: true });
  const small = await thumbnail.webp().toBuffer();
  await to.client.uploadArtifact(to.runId, `${name}.png`, path);
  await to.client.uploadArtifact(to.runId, `${name}+compressed.webp`, small);
  await to.client.setTag(to.runId, 'mlflow.loggedImages', 'True');
}

function toTags(tags: Record<string, string>): Tag[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value: fit(value, LIMITS.tagLength) }));
}

/** MLflow would cut a long value without a word; this one says that it was cut, and where it is whole. */
function fit(value: string, most: number): string {
  if (value.length <= most) return value;
  const note = ` … (cut: ${value.length} characters, whole in journal.jsonl)`;
  return value.slice(0, most - note.length) + note;
}

/** A UUID of version 8 (RFC 9562, section 5.8) made of what the image is. */
function uuidOf(key: string, step: number, time: number): string {
  const hex = createHash('sha256').update(`${key}\n${step}\n${time}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
