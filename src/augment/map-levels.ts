/** Every grey level's own; kept, since each sample fills it anew. */
const table = new Uint8ClampedArray(256);

/** Replaces every grey level x of an image by levelOf(x), clipped to 0 to 255 and rounded; the mask has no part in it. */
export function mapLevels(image: Uint8Array, levelOf: (x: number) => number): void {
  const levels = table;
  for (let x = 0; x < 256; x++) levels[x] = levelOf(x);
  for (let i = 0; i < image.length; i++) image[i] = levels[image[i]!]!;
}
