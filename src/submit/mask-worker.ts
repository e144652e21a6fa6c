import { serveTasks } from '../core/worker-pool.ts';
import type { PostprocessConfig } from '../postprocess/index.ts';
import { openProbabilityStore } from '../predict/probability-store.ts';
import { type EncodedMask, encodeMask, type MaskSource } from './encode-mask.ts';

/** What a thread needs: where the stores are, since an open one does not go from thread to thread. */
export interface MaskSetup {
  stores: { path: string; weight: number }[];
  gatePath: string | undefined;
  config: PostprocessConfig;
}

let opened: Promise<MaskSource> | undefined;

serveTasks<MaskSetup, string, EncodedMask>(async (id, setup) => {
  opened ??= openSource(setup);
  return encodeMask(id, await opened);
});

async function openSource({ stores: places, gatePath, config }: MaskSetup): Promise<MaskSource> {
  const stores = await Promise.all(
    places.map(async ({ path, weight }) => ({ store: await openProbabilityStore(path), weight })),
  );
  const gateStore = gatePath === undefined ? undefined : await openProbabilityStore(gatePath);
  return { stores, gateStore, config };
}
