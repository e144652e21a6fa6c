/**
 * What the engine is made of; its folder in the cache is named after these, so a new version never meets an old build.
 * TensorFlow's C library comes out of the wheels that TensorFlow publishes; the interpreter they are tagged for is
 * irrelevant, since only the library and its headers are used.
 */
export const TENSORFLOW_VERSION = '2.21.0';
export const WHEEL_PYTHON = '3.12';

/** Two builds of the library: for the processor alone, and for CUDA 12. */
export type Flavour = 'cpu' | 'cuda';

/** Name, SHA-256 and bytes of each flavour's wheel for Linux x86-64, as published. */
export const WHEELS: Record<Flavour, { package: string; sha256: string; bytes: number }> = {
  cpu: {
    package: 'tensorflow-cpu',
    sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
    bytes: 274_000_871,
  },
  cuda: {
    package: 'tensorflow',
    sha256: 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0',
    bytes: 572_611_111,
  },
};
