/** The transfer syntaxes that this room decodes (DICOM PS3.6, table A-1). */
export const IMPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
export const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';

/** Names for messages about the ones met in practice. */
const NAMES: Readonly<Record<string, string>> = {
  [IMPLICIT_LITTLE_ENDIAN]: 'Implicit VR Little Endian',
  [EXPLICIT_LITTLE_ENDIAN]: 'Explicit VR Little Endian',
  '1.2.840.10008.1.2.1.99': 'Deflated Explicit VR Little Endian',
  '1.2.840.10008.1.2.2': 'Explicit VR Big Endian',
  [JPEG_BASELINE]: 'JPEG Baseline',
  '1.2.840.10008.1.2.4.51': 'JPEG Extended, 12 bit',
  '1.2.840.10008.1.2.4.57': 'JPEG Lossless',
  '1.2.840.10008.1.2.4.70': 'JPEG Lossless, first-order prediction',
  '1.2.840.10008.1.2.4.80': 'JPEG-LS Lossless',
  '1.2.840.10008.1.2.4.81': 'JPEG-LS Near-Lossless',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000 Lossless',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
  '1.2.840.10008.1.2.5': 'RLE Lossless',
};

/** `<uid> (<name>)`, as messages say it. */
export function describeTransferSyntax(uid: string): string {
  return `${uid} (${NAMES[uid] ?? 'unknown'})`;
}
