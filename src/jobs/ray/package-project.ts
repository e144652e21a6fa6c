import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { sha256 } from '../../core/atomic-file.ts';
import { messageOf, UserError } from '../../core/errors.ts';
import { zipFiles } from '../../submit/zip.ts';
import { type Ray, refusal } from './ray-http.ts';

/** The project as it is sent to a cluster. */
export interface ProjectPackage {
  /** `_ray_pkg_<digest of its bytes>.zip`: Ray's form of a name. */
  name: string;
  zip: Uint8Array;
}

/** More than that Ray's head does not take in one request. */
const MOST_BYTES = 100 * 2 ** 20;

/** What runs write and read, where git does not ignore it. */
const NOT_CODE = /^(data|runs)\//;

/** Packs the files that git tracks or would; the same files give the same bytes. Throws UserError where that cannot be. */
export async function packProject(project: string): Promise<ProjectPackage> {
  const files: Record<string, Uint8Array> = {};
  let bytes = 0;
  for (const name of await listFiles(project)) {
    const path = join(project, name);
    const found = await stat(path).catch(() => undefined);
    // Gone from the folder but not yet from git, or a repository of its own.
    if (!found?.isFile()) continue;
    bytes += found.size;
    if (bytes > MOST_BYTES) break;
    files[name] = await readFile(path);
  }
  const zip = bytes > MOST_BYTES ? undefined : await zipFiles(files);
  if (zip !== undefined && zip.length <= MOST_BYTES) return { name: `_ray_pkg_${sha256(zip).slice(0, 40)}.zip`, zip };
  throw new UserError(
    `Expected at most ${MOST_BYTES / 2 ** 20} MiB of files for jobs.working_dir=packed but received more. ` +
      `Let git ignore what runs do not need, or set jobs.working_dir=shared where nodes see ${project}.`,
  );
}

/** Sends a package unless the cluster has it, and says where it is. What no job uses Ray throws away after some minutes. */
export async function uploadPackage(ray: Ray, { name, zip }: ProjectPackage): Promise<string> {
  const path = `/api/packages/gcs/${name}`;
  const there = await ray.ask('GET', path);
  if (there.status !== 200 && there.status !== 404) throw refusal(`GET ${ray.address}${path}`, there);
  if (there.status === 404) {
    const sent = await ray.ask('PUT', path, zip);
    if (sent.status !== 200) throw refusal(`PUT ${ray.address}${path}`, sent);
  }
  return `gcs://${name}`;
}

async function listFiles(project: string): Promise<string[]> {
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await execa('git', words, { cwd: project }).catch((cause: unknown) => {
    const reason = (cause as { stderr?: string }).stderr || messageOf(cause);
    throw new UserError(
      `Expected git to list the files of ${project} for jobs.working_dir=packed but it failed:\n${reason}\n` +
        'Run the harness from a clone of its repository, or set jobs.working_dir=shared where nodes see that folder.',
      { cause },
    );
  });
  const names = new Set(stdout.split('\0').filter((name) => name !== '' && !NOT_CODE.test(name)));
  return [...names].sort();
}
