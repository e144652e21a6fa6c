/** What a training epoch says of its speed. */
export type EpochMetrics = {
  /** The share of the epoch's time in which the device had nothing to do because its next batch was not there. */
  'system/data_wait_fraction': number;
  /** Images trained on per second, waiting included. */
  'system/images_per_second': number;
};

/** Measures one training epoch. */
export interface EpochWatch {
  /** The same items; the time until each is there, and until the end is known, counts as waiting. */
  waiting<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, void>;
  /** Of the epoch up to now, in which so many images were trained on. */
  metrics(images: number): EpochMetrics;
}

/**
 * A watch that starts now.
 * @param now the time in milliseconds since any fixed moment
 */
export function createEpochWatch(now: () => number = () => performance.now()): EpochWatch {
  const started = now();
  let waited = 0;
  return {
    waiting: async function* (items) {
      let asked = now();
      for await (const item of items) {
        waited += now() - asked;
        yield item;
        asked = now();
      }
      waited += now() - asked;
    },
    metrics: (images) => {
      const elapsed = now() - started;
      return {
        'system/data_wait_fraction': waited / elapsed,
        'system/images_per_second': (1000 * images) / elapsed,
      };
    },
  };
}
