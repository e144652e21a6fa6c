import { listGpus } from '../engine/memory.ts';

/** What each of the processes sees that train at the same time: a GPU of its own, as long as there are some. */
export async function listPlaces(
  device: 'auto' | 'cpu' | 'gpu',
  wanted: number | undefined,
): Promise<Record<string, string>[]> {
  const gpus = device === 'cpu' ? [] : await listGpus();
  const count = wanted ?? Math.max(1, gpus.length);
  return Array.from({ length: count }, (_, place): Record<string, string> => {
    const gpu = gpus[place % gpus.length];
    return gpu === undefined ? {} : { CUDA_VISIBLE_DEVICES: gpu };
  });
}
