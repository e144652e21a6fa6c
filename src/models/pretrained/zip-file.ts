import { type Entry, openPromise } from 'yauzl';

/** The files of a ZIP archive by name, each read when it is asked for; all at once, so that the archive can be closed. */
export async function readZip(path: string, wanted: (name: string) => boolean): Promise<Map<string, Buffer>> {
  const zip = await openPromise(path, { lazyEntries: true, autoClose: false });
  const files = new Map<string, Buffer>();
  try {
    for await (const entry of zip.eachEntry()) {
      const { fileName } = entry as Entry;
      if (fileName.endsWith('/') || !wanted(fileName)) continue;
      const chunks: Buffer[] = [];
      for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
      files.set(fileName, Buffer.concat(chunks));
    }
  } finally {
    zip.close();
  }
  return files;
}
