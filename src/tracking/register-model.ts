import type { MlflowClient, ModelVersion } from 'mlflow-js-client';
import type { ModelEntry } from './journal-entry.ts';

/** The best version of a model by its figure. */
const CHAMPION = 'champion';
const DICE_TAG = 'val/dice';
/** By which a version is found again: a run comes to one checkpoint, but may be told of twice. */
const CHECKPOINT_TAG = 'checkpoint.sha256';

/**
 * Makes a run's checkpoint a version of a registered model, under its alias, and the champion where no other version has a
 * higher figure. The same again leaves the registry as it was. Throws MlflowError.
 */
export async function registerModel(
  { client, runId }: { client: MlflowClient; runId: string },
  { name, artifact_path: path, alias, dice, tags }: ModelEntry,
): Promise<void> {
  await client.ensureRegisteredModel(name);
  const versions = await client.searchModelVersions(`name='${name}'`);
  const own = versions.find(
    (version) => version.run_id === runId && tagOf(version, CHECKPOINT_TAG) === tags[CHECKPOINT_TAG],
  );
  const { version } = own ?? (await create());
  const newer = versions.some((other) => Number(other.version) > Number(version) && tagOf(other, 'alias') === alias);
  if (!newer) await client.setModelAlias(name, alias, version);
  const better = versions.some((other) => other.version !== version && Number(tagOf(other, DICE_TAG)) > dice);
  if (!better) await client.setModelAlias(name, CHAMPION, version);

  async function create(): Promise<ModelVersion> {
    const { artifact_uri: root } = (await client.getRun(runId)).info;
    const all = { ...tags, alias, [DICE_TAG]: String(dice) };
    return await client.createModelVersion({
      ...{ name, runId, source: `${root}/${path}` },
      tags: Object.entries(all).map(([key, value]) => ({ key, value })),
    });
  }
}

function tagOf({ tags }: ModelVersion, wanted: string): string | undefined {
  return tags.find(({ key }) => key === wanted)?.value;
}
