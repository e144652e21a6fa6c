/**
 * What the engine is made of; its folder in the cache is named after these, so a new version never meets an old build.
 * TensorFlow's C library comes out of the wheels that TensorFlow publishes; the interpreter they are tagged for is
 * irrelevant, since only the library and its headers are used.
 */
export const TENSORFLOW_VERSION = '2.21.0';
export const WHEEL_PYTHON = '3.12';

/** Two builds of the library: for the processor alone, and for CUDA 12. */
export type Flavour = 'cpu' | 'cuda';

/** A published wheel for Linux x86-64. */
export interface Wheel {
  package: string;
  version: string;
  sha256: string;
  bytes: number;
}

/**
 * What the `and-cuda` extra of TensorFlow's wheel asks for: CUDA 12.9, and of cuDNN the last that runs on Pascal and Volta,
 * which TensorFlow is compiled for, and on Blackwell too (NVIDIA's support matrix of cuDNN 9.10.2).
 */
const CUDA_RUNTIME: readonly Wheel[] = [
  {
    package: 'nvidia-cublas-cu12',
    version: '12.9.3.13',
    sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
    bytes: 581_217_458,
  },
  {
    package: 'nvidia-cuda-cupti-cu12',
    version: '12.9.79',
    sha256: '096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f',
    bytes: 10_814_997,
  },
  {
    package: 'nvidia-cuda-nvcc-cu12',
    version: '12.9.86',
    sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
    bytes: 40_546_229,
  },
  {
    package: 'nvidia-cuda-nvrtc-cu12',
    version: '12.9.86',
    sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
    bytes: 89_568_129,
  },
  {
    package: 'nvidia-cuda-runtime-cu12',
    version: '12.9.79',
    sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
    bytes: 3_493_179,
  },
  {
    package: 'nvidia-cudnn-cu12',
    version: '9.10.2.21',
    sha256: '949452be657fa16687d0930933f032835951ef0892b37d2d53824d1a84dc97a8',
    bytes: 706_758_467,
  },
  {
    package: 'nvidia-cufft-cu12',
    version: '11.4.1.4',
    sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
    bytes: 200_877_592,
  },
  {
    package: 'nvidia-curand-cu12',
    version: '10.3.10.19',
    sha256: '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e',
    bytes: 68_295_626,
  },
  {
    package: 'nvidia-cusolver-cu12',
    version: '11.7.5.82',
    sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
    bytes: 338_117_415,
  },
  {
    package: 'nvidia-cusparse-cu12',
    version: '12.5.10.65',
    sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
    bytes: 366_465_088,
  },
  {
    package: 'nvidia-nccl-cu12',
    version: '2.32.3',
    sha256: 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
    bytes: 351_526_311,
  },
  {
    package: 'nvidia-nvjitlink-cu12',
    version: '12.9.86',
    sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
    bytes: 39_748_338,
  },
];

/** The wheels of each flavour, TensorFlow's own first. */
export const WHEELS: Record<Flavour, readonly [Wheel, ...Wheel[]]> = {
  cpu: [
    {
      package: 'tensorflow-cpu',
      version: TENSORFLOW_VERSION,
      sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
      bytes: 274_000_871,
    },
  ],
  cuda: [
    {
      package: 'tensorflow',
      version: TENSORFLOW_VERSION,
      sha256: 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0',
      bytes: 572_611_111,
    },
    ...CUDA_RUNTIME,
  ],
};

/** What a flavour takes on disk, unpacked, in bytes. */
export const UNPACKED_BYTES: Record<Flavour, number> = { cpu: 854_258_761, cuda: 5_570_022_686 };
