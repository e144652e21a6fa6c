import type { Dataset, PixelCell } from './dataset.ts';
import { openPixelFile, type PixelFile } from './pixel-file.ts';

/**
 * Opens all pixel caches of a data set as one: image i is the i-th of its own cache and, behind the last of them, the
 * extra images where their cells say. Throws where a cache cannot be opened.
 * @param own how many images are the data set's own.
 */
export function openPixelFiles(
  { pixelsPath, resolution, cells = [] }: Pick<Dataset, 'pixelsPath' | 'resolution'> & { cells?: readonly PixelCell[] },
  own: number,
): PixelFile {
  const first = openPixelFile(pixelsPath, own, resolution);
  const others = new Map<string, PixelFile>();
  for (const { path, count } of cells) {
    if (!others.has(path)) others.set(path, openPixelFile(path, count, resolution));
  }
  return {
    read: (index, pixels) => {
      const cell = cells[index - own];
      if (cell === undefined) first.read(index, pixels);
      else others.get(cell.path)!.read(cell.index, pixels);
    },
    close: () => {
      for (const file of [first, ...others.values()]) file.close();
    },
  };
}
