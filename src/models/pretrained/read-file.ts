import { open } from 'node:fs/promises';
import { expected, messageOf, UserError } from '../../core/errors.ts';
import { type NamedTensors, readSafetensors } from '../../core/safetensors.ts';
import { readKerasArchive, readKerasHdf5 } from './keras-file.ts';
import { readTorchFile } from './torch-file.ts';

/** Weights as they were published: Keras lays out convolutions as [k,k,C,K], PyTorch as [K,C,k,k]. */
export interface PublishedWeights {
  origin: 'keras' | 'torch';
  arrays: NamedTensors;
}

const FORMATS = 'Keras’s .h5, .weights.h5 or .keras, PyTorch’s .pth or .pt, or .safetensors';
const HDF5_SIGNATURE = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');
const ZIP_SIGNATURE = Buffer.from('PK\x03\x04', 'latin1');
const SAFETENSORS_MIDDLE = Buffer.from('\0\0\0\0{', 'latin1');
/** PROTO, the first operation of every pickle since protocol 2. */
const PICKLE_SIGNATURE = Buffer.from([0x80]);

/**
 * Reads a file of weights, of which kind its bytes tell. Numbers become float32.
 * Throws UserError where it is of no such kind, is damaged, or holds other things than numbers.
 */
export async function readPublishedWeights(path: string): Promise<PublishedWeights> {
  try {
    return await readByKind(path);
  } catch (error) {
    throw new UserError(`Expected weights in ${path} (${FORMATS}) but they cannot be read. ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function readByKind(path: string): Promise<PublishedWeights> {
  const start = await readStart(path);
  const begins = (signature: Buffer) => start.subarray(0, signature.length).equals(signature);
  // The length of the header in eight bytes, less than 4 GB, and the header's first character.
  if (start.subarray(4, 9).equals(SAFETENSORS_MIDDLE)) return { origin: 'torch', arrays: await readSafetensors(path) };
  if (begins(HDF5_SIGNATURE)) return { origin: 'keras', arrays: await readKerasHdf5(path) };
  if (begins(PICKLE_SIGNATURE)) return { origin: 'torch', arrays: await readTorchFile(path, false) };
  if (begins(ZIP_SIGNATURE)) {
    if (path.endsWith('.keras')) return { origin: 'keras', arrays: await readKerasArchive(path) };
    return { origin: 'torch', arrays: await readTorchFile(path, true) };
  }
  throw new Error(expected('a file of one of these kinds', 'its first bytes', start.subarray(0, 4).toString('hex')));
}

async function readStart(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
