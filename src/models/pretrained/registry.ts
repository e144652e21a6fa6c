import { join } from 'node:path';
import type { EncoderName } from '../encoders/names.ts';

/** A file of ImageNet weights as its publisher offers it. */
export interface PublishedFile {
  encoder: EncoderName;
  address: string;
  /** The publisher's own: all digits of Keras's, the first eight of PyTorch's, which end the file's name. */
  checksum: { algorithm: 'md5' | 'sha256'; digits: string };
  /** Whose it is. */
  publisher: string;
}

/** keras/src/applications/efficientnet.py, WEIGHTS_HASHES: the files without a classifier. */
const KERAS: Partial<Record<EncoderName, string>> = {
  'efficientnet-b0': '50bc09e76180e00e4465e1a485ddc09d',
  'efficientnet-b1': '74c4e6b3e1f6a1eea24c589628592432',
  'efficientnet-b2': '111f8e2ac8aa800a7a99e3239f7bfb39',
  'efficientnet-b3': 'af6d107764bb5b1abb91932881670226',
  'efficientnet-b4': 'ebc24e6d6c33eaebbd558eafbeedf1ba',
  'efficientnet-b5': '38879255a25d3c92d5e44e04ae6cec6f',
  'efficientnet-b6': '9ecce42647a20130c1f39a5d4cb75743',
  'efficientnet-b7': 'cbcfe4450ddf6f3ad90b1b398090fe4a',
};
/** timm/models/efficientnet.py and resnet.py, default_cfgs. */
const TIMM: Partial<Record<EncoderName, string>> = {
  'efficientnet-lite0': 'tf_efficientnet_lite0-0aa007d2.pth',
  'efficientnet-lite1': 'tf_efficientnet_lite1-bde8b488.pth',
  'efficientnet-lite2': 'tf_efficientnet_lite2-dcccb7df.pth',
  'seresnext50-32x4d': 'seresnext50_32x4d_racm-a304a460.pth',
};
/** torchvision/models/resnet.py, the IMAGENET1K_V1 weights. */
const TORCHVISION: Partial<Record<EncoderName, string>> = {
  resnet18: 'resnet18-f37072fd.pth',
  resnet34: 'resnet34-b627a593.pth',
  resnet50: 'resnet50-0676ba61.pth',
  resnet101: 'resnet101-63fe2227.pth',
};

const entries = (files: Partial<Record<EncoderName, string>>) => Object.entries(files) as [EncoderName, string][];
const fromName = (address: string): PublishedFile['checksum'] => ({
  algorithm: 'sha256',
  digits: /-([0-9a-f]{8})\.pth$/.exec(address)![1]!,
});

/** One file for every encoder. */
export const PUBLISHED_FILES: readonly PublishedFile[] = [
  ...entries(KERAS).map(([encoder, digits]) => ({
    encoder,
    address: `https://storage.googleapis.com/keras-applications/${encoder.replace('-', '')}_notop.h5`,
    checksum: { algorithm: 'md5' as const, digits },
    publisher: 'Keras applications',
  })),
  ...entries(TIMM).map(([encoder, file]) => ({
    encoder,
    address: `https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/${file}`,
    checksum: fromName(file),
    publisher: 'timm',
  })),
  ...entries(TORCHVISION).map(([encoder, file]) => ({
    encoder,
    address: `https://download.pytorch.org/models/${file}`,
    checksum: fromName(file),
    publisher: 'torchvision',
  })),
];

/** Where a published file lies on this machine, once it is there. */
export function publishedPath({ address }: PublishedFile, cacheDir: string): string {
  return join(cacheDir, 'weights', address.slice(address.lastIndexOf('/') + 1));
}

/** The published file of an encoder. */
export function findPublished(encoder: EncoderName): PublishedFile {
  return PUBLISHED_FILES.find((file) => file.encoder === encoder)!;
}
