/** How the images of one pass fall into batches, and how many batches may be in memory. */
export interface PassShape {
  /** Images in the pass. */
  images: number;
  batchSize: number;
  /** Batches that memory holds: one being used, the others ahead of it. */
  slots: number;
}

/**
 * One pass over some images, shared by the threads that fill batches and the one that takes them. All of its state is
 * in shared memory, so that threads run ahead while the taker is blocked. Places count the images of the pass from 0;
 * batch b lies in slot b mod `slots`.
 */
export interface Queue extends PassShape {
  words: Int32Array<SharedArrayBuffer>;
}

/** The words before those that count, slot by slot, the images of its batch that are there. */
const CLAIMED = 0;
const RELEASED = 1;
const STOPPED = 2;
const WORKING = 3;
const FILLED = 4;

/** A pass that `threads` threads will work on. */
export function createQueue(shape: PassShape, threads: number): Queue {
  const bytes = (FILLED + shape.slots) * Int32Array.BYTES_PER_ELEMENT;
  const words = new Int32Array(new SharedArrayBuffer(bytes));
  words[WORKING] = threads;
  return { ...shape, words };
}

/**
 * For a thread: the next place to fill, or undefined when there is none left or the pass was stopped. Blocks while the
 * slot of that place still holds a batch that was not given back.
 */
export function claimPlace({ words, images, batchSize, slots }: Queue): number | undefined {
  const place = Atomics.add(words, CLAIMED, 1);
  if (place >= images) return undefined;
  const batch = Math.floor(place / batchSize);
  for (;;) {
    // In this order: a stop between the looks changes the word that the wait compares.
    const released = Atomics.load(words, RELEASED);
    if (Atomics.load(words, STOPPED) === 1) return undefined;
    if (batch < released + slots) return place;
    Atomics.wait(words, RELEASED, released);
  }
}

/** For a thread: the place is filled. Returns whether its batch is whole by that. */
export function finishPlace(queue: Queue, place: number): boolean {
  const batch = Math.floor(place / queue.batchSize);
  return Atomics.add(queue.words, FILLED + (batch % queue.slots), 1) + 1 === countImages(queue, batch);
}

/** For a thread: it touches the pass's memory no more. */
export function leavePass({ words }: Queue): void {
  Atomics.sub(words, WORKING, 1);
}

/** For the taker: whether all images of a batch are there. */
export function isWhole(queue: Queue, batch: number): boolean {
  return Atomics.load(queue.words, FILLED + (batch % queue.slots)) === countImages(queue, batch);
}

/** For the taker: gives the oldest batch in memory back, so that its slot is filled anew. */
export function releaseBatch({ words, slots }: Queue): void {
  const batch = Atomics.load(words, RELEASED);
  Atomics.store(words, FILLED + (batch % slots), 0);
  Atomics.store(words, RELEASED, batch + 1);
  Atomics.notify(words, RELEASED);
}

/** For the taker: no place will be claimed any more, and whoever waits for one wakes up. */
export function stopPass({ words }: Queue): void {
  Atomics.store(words, STOPPED, 1);
  // See claimPlace: nobody may fall asleep on the word as it was.
  Atomics.add(words, RELEASED, 1);
  Atomics.notify(words, RELEASED);
}

/** For the taker: how many threads may still write into the pass's memory. */
export function threadsAtWork({ words }: Queue): number {
  return Atomics.load(words, WORKING);
}

/** How many batches a pass has; the last one may be smaller. */
export function countBatches({ images, batchSize }: PassShape): number {
  return Math.ceil(images / batchSize);
}

/** How many images a batch of the pass has. */
export function countImages({ images, batchSize }: PassShape, batch: number): number {
  return Math.min(batchSize, images - batch * batchSize);
}
