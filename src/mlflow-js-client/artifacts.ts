import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { encodeArtifactPath } from './check.ts';
import type { Connection } from './connection.ts';
import type { ArtifactInfo } from './types.ts';

/** An artifact's content: the path of a file, or bytes. */
export type ArtifactSource = string | Uint8Array;

const ROUTE = '/api/2.0/mlflow-artifacts/artifacts';

/** The entries of one folder of a run's artifacts (the root unless told), page by page. */
export async function listArtifacts(connection: Connection, runId: string, path?: string): Promise<ArtifactInfo[]> {
  if (path !== undefined) encodeArtifactPath(path);
  const files: ArtifactInfo[] = [];
  let token: string | undefined;
  do {
    const query = { run_id: runId, path, page_token: token };
    const page = await connection.get<{ files?: ArtifactInfo[]; next_page_token?: string }>('artifacts/list', query);
    files.push(...(page.files ?? []).map(readInfo));
    token = page.next_page_token;
  } while (token);
  return files;
}

/**
 * Writes one artifact, over an older one of the same path. A file is streamed, at the size that it has now.
 * Throws RangeError for an unsafe path, and Error where the server does not hand artifacts on itself.
 */
export async function uploadArtifact(
  connection: Connection,
  artifactUri: string,
  path: string,
  source: ArtifactSource,
): Promise<void> {
  const route = routeOf(connection, artifactUri, path);
  if (typeof source !== 'string') return await connection.put(route, source);
  const { size } = await stat(source);
  const open = () => createReadStream(source, { start: 0, end: size - 1 });
  // An empty range cannot be said to createReadStream.
  await connection.put(route, size === 0 ? new Uint8Array(0) : { size, open });
}

/** Reads one artifact whole. Throws as uploadArtifact does, and MlflowError where it does not exist. */
export async function downloadArtifact(connection: Connection, artifactUri: string, path: string): Promise<Uint8Array> {
  return await connection.fetch(routeOf(connection, artifactUri, path));
}

/**
 * Where a run's artifact is served: `mlflow-artifacts:/1/<run>/artifacts` becomes the tracking server's own route.
 * Another host is refused, since the credentials are meant for this one.
 */
function routeOf({ trackingUri }: Connection, artifactUri: string, path: string): string {
  const uri = new URL(artifactUri);
  const encoded = encodeArtifactPath(path);
  const host = new URL(trackingUri).host;
  if (uri.protocol === 'mlflow-artifacts:' && (uri.host === '' || uri.host === host)) {
    return `${ROUTE}${uri.pathname}/${encoded}`;
  }
  const own = `${trackingUri}${ROUTE}/`;
  if (artifactUri.startsWith(own)) return `${ROUTE}/${artifactUri.slice(own.length)}/${encoded}`;
  throw new Error(
    `Expected artifacts served by ${host} itself but this run keeps them at ${artifactUri}. ` +
      'Start the server with --serve-artifacts, and make a new experiment.',
  );
}

function readInfo({ path, is_dir = false, file_size }: ArtifactInfo): ArtifactInfo {
  return { path, is_dir, ...(file_size === undefined ? {} : { file_size: Number(file_size) }) };
}
