import { checkTag } from './check.ts';
import type { Connection } from './connection.ts';
import { MlflowError } from './error.ts';
import type { ModelVersion, Tag } from './types.ts';

export interface NewModelVersion {
  name: string;
  /** Where its files lie: a folder among the artifacts of the run, as `mlflow-artifacts:/…`. */
  source: string;
  runId?: string;
  tags?: readonly Tag[];
  description?: string;
}

/** Makes a registered model where there is none of that name yet, by however many processes at once. */
export async function ensureRegisteredModel(connection: Connection, name: string): Promise<void> {
  checkModelName(name);
  try {
    await connection.post('registered-models/create', { name }, true);
  } catch (error) {
    if (!(error instanceof MlflowError) || error.code !== 'RESOURCE_ALREADY_EXISTS') throw error;
  }
}

/** Creates the next version of a registered model. Not repeated when the answer is lost: there could be two. */
export async function createModelVersion(connection: Connection, version: NewModelVersion): Promise<ModelVersion> {
  const { name, source, runId, tags = [], description } = version;
  checkModelName(name);
  tags.forEach(checkTag);
  const body = { name, source, run_id: runId, tags, description };
  return read(
    (await connection.post<{ model_version: WireVersion }>('model-versions/create', body, false)).model_version,
  );
}

/** The versions that fit MLflow's filter (`name='x' and run_id='y'`), page by page; without their aliases. */
export async function searchModelVersions(connection: Connection, filter: string): Promise<ModelVersion[]> {
  const versions: ModelVersion[] = [];
  let token: string | undefined;
  do {
    const query = { filter, max_results: 1000, page_token: token };
    const page = await connection.get<{ model_versions?: WireVersion[]; next_page_token?: string }>(
      'model-versions/search',
      query,
    );
    versions.push(...(page.model_versions ?? []).map(read));
    token = page.next_page_token;
  } while (token);
  return versions;
}

/** The version that an alias means; undefined where the model has none of that name, or is not there. */
export async function getModelVersionByAlias(
  connection: Connection,
  name: string,
  alias: string,
): Promise<ModelVersion | undefined> {
  try {
    const query = { name, alias };
    return read((await connection.get<{ model_version: WireVersion }>('registered-models/alias', query)).model_version);
  } catch (error) {
    if (error instanceof MlflowError && NO_SUCH.has(error.code ?? '')) return undefined;
    throw error;
  }
}

/** Lets an alias mean a version from now on, whichever it meant before. */
export async function setModelAlias(
  connection: Connection,
  name: string,
  alias: string,
  version: string,
): Promise<void> {
  // MLflow keeps `latest` and `v1`, … for itself, and says so only for some of them.
  if (!/^[\w-]{1,255}$/.test(alias) || /^(latest|v\d+)$/i.test(alias)) {
    throw new RangeError(
      `Expected letters, digits, _ and - (not latest or v1) for an alias but received ${JSON.stringify(alias)}.`,
    );
  }
  await connection.post('registered-models/alias', { name, alias, version }, true);
}

/** An alias that is not there is INVALID_PARAMETER_VALUE to some servers. */
const NO_SUCH = new Set(['RESOURCE_DOES_NOT_EXIST', 'INVALID_PARAMETER_VALUE']);

type WireVersion = Omit<ModelVersion, 'tags' | 'version'> & { version: string | number; tags?: Tag[] };

function read({ version, tags = [], ...rest }: WireVersion): ModelVersion {
  return { ...rest, version: String(version), tags };
}

/** Throws RangeError for names that the server takes and cannot show or find again. */
function checkModelName(name: string): void {
  if (name !== '' && name.length <= 256 && !/[/:]/.test(name)) return;
  throw new RangeError(
    `Expected 1 to 256 characters without / and : for a model's name but received ${JSON.stringify(name)}.`,
  );
}
