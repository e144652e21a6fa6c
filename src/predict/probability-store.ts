/** Probabilities of one checkpoint and one TTA list on a list of images: round(255·p) at the model's resolution. */
export interface ProbabilityStore {
  /** Side of each map in pixels. */
  resolution: number;
  /** In the order in which they were written. */
  ids: readonly string[];
  /** The map of one image, [resolution, resolution] row-major, after the mean over TTA. Throws where the id is absent. */
  read(id: string): Uint8Array;
  close(): void;
}

/** Writes a store aside, one image at a time; only `finish` puts it in place. */
export interface ProbabilityWriter {
  append(id: string, probabilities: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  /** Removes what was written. */
  abandon(): Promise<void>;
}
