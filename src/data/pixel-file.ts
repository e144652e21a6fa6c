import { closeSync, openSync, readSync } from 'node:fs';
import { expected, messageOf } from '../core/errors.ts';

/** A pixel cache, open for reading; the system's page cache does the rest. */
export interface PixelFile {
  /**
   * Reads one image into `pixels`, [R,R] row-major, 0 to 255. Throws RangeError for an image that does not exist, and
   * Error where the file is cut short, cannot be read or is closed.
   */
  read(index: number, pixels: Uint8Array): void;
  close(): void;
}

/** Opens the pixel cache at `path`, which holds `count` images of `resolution`². Throws where it cannot be opened. */
export function openPixelFile(path: string, count: number, resolution: number): PixelFile {
  const size = resolution * resolution;
  let file: number | undefined = openSync(path, 'r');
  return {
    read: (index, pixels) => {
      if (file === undefined) throw new Error(`Expected an open pixel cache but ${path} was closed.`);
      if (!(index >= 0 && index < count)) throw new RangeError(`Image ${index} of ${count} does not exist in ${path}.`);
      const done = readWhole(path, file, pixels.subarray(0, size), index * size);
      if (done === size) return;
      const next = 'It is cut short, and will be built again when the data set is opened next.';
      throw new Error(expected(`${size} bytes of image ${index}`, path, done, next));
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** One read may give a part only: goes on until all is there or the file ends. */
function readWhole(path: string, file: number, into: Uint8Array, position: number): number {
  let done = 0;
  try {
    for (let count = 1; done < into.length && count > 0; done += count) {
      count = readSync(file, into, done, into.length - done, position + done);
    }
  } catch (error) {
    throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  return done;
}
