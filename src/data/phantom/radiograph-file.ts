import sharp from 'sharp';
import type { GrayImage } from '../../core/image.ts';
import { type DicomElement, grayPixelElements, TRANSFER_SYNTAX, writeDicom } from '../../dicom/write.ts';
import { streamOf } from './field.ts';
import type { PhantomImage } from './plan.ts';

/** Written as the competition's exporter did, some of them over the 16 characters that a DS may have (PS3.5, 6.2). */
const SPACINGS = ['0.143', '0.139', '0.168', '0.14300000000000002', '0.19431099999999998', '0.17100000000000001'];

/**
 * The bytes of one of the phantom's DICOM files: JPEG Baseline in one fragment behind an empty offset table, with the
 * competition's quirks (docs/reference/phantom.md).
 */
export async function encodeRadiograph(image: PhantomImage, pixels: GrayImage, seed: number): Promise<Uint8Array> {
  const { width, height, data } = pixels;
  const jpeg = await sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .jpeg({ quality: 90, progressive: false, mozjpeg: false })
    .toBuffer();
  return writeDicom({
    transferSyntax: TRANSFER_SYNTAX.jpegBaseline,
    mediaStorageSopInstanceUid: image.sopUid,
    elements: [...identityElements(image), ...pictureElements(image, pixels, seed)],
    pixelData: { fragments: [image.itemTagInside ? insertItemTag(jpeg) : jpeg] },
  });
}

/** Where the file lies under its set's folder: `<study>/<series>/<sop>.dcm`, or flat in stage 2. */
export function fileNameOf(image: PhantomImage): string[] {
  return image.set === 'stage2-test' ? [`${image.id}.dcm`] : [image.studyUid, image.seriesUid, `${image.id}.dcm`];
}

/** Stage 2 has no PatientID, and an instance UID that is none. */
function identityElements(image: PhantomImage): DicomElement[] {
  const { patient, set } = image;
  const named: DicomElement[] =
    set === 'stage2-test'
      ? [{ tag: 0x00100010, vr: 'PN', value: '' }]
      : [
          { tag: 0x00100010, vr: 'PN', value: patient.id },
          { tag: 0x00100020, vr: 'LO', value: patient.id },
        ];
  return [
    { tag: 0x00080005, vr: 'CS', value: 'ISO_IR 100' },
    { tag: 0x00080016, vr: 'UI', value: '1.2.840.10008.5.1.4.1.1.7' },
    { tag: 0x00080018, vr: 'UI', value: image.id },
    { tag: 0x00080020, vr: 'DA', value: '19010101' },
    { tag: 0x00080030, vr: 'TM', value: '000000.00' },
    { tag: 0x00080050, vr: 'SH', value: '' },
    { tag: 0x00080060, vr: 'CS', value: 'CR' },
    { tag: 0x00080064, vr: 'CS', value: 'WSD' },
    { tag: 0x00080090, vr: 'PN', value: '' },
    { tag: 0x0008103e, vr: 'LO', value: `view: ${image.view}` },
    ...named,
    { tag: 0x00100030, vr: 'DA', value: '' },
    { tag: 0x00100040, vr: 'CS', value: patient.sex },
    { tag: 0x00101010, vr: 'AS', value: String(patient.age) },
  ];
}

function pictureElements(image: PhantomImage, { width, height }: GrayImage, seed: number): DicomElement[] {
  const spacing = SPACINGS[streamOf(seed, 'spacing', image.id).integer(0, SPACINGS.length - 1)]!;
  return [
    { tag: 0x00180015, vr: 'CS', value: 'CHEST' },
    { tag: 0x00185101, vr: 'CS', value: image.view },
    { tag: 0x0020000d, vr: 'UI', value: image.studyUid },
    { tag: 0x0020000e, vr: 'UI', value: image.seriesUid },
    { tag: 0x00200010, vr: 'SH', value: '' },
    { tag: 0x00200011, vr: 'IS', value: '1' },
    { tag: 0x00200013, vr: 'IS', value: '1' },
    { tag: 0x00200020, vr: 'CS', value: '' },
    ...grayPixelElements({ rows: height, columns: width, bitsAllocated: 8 }),
    { tag: 0x00280030, vr: 'DS', value: `${spacing}\\${spacing}` },
    { tag: 0x00282110, vr: 'CS', value: '01' },
    { tag: 0x00282114, vr: 'CS', value: 'ISO_10918_1' },
  ];
}

/** Puts the bytes of a DICOM item tag (FE FF 00 E0) into a JPEG comment (ITU-T T.81, B.2.4.5), behind its JFIF header. */
function insertItemTag(jpeg: Buffer): Buffer {
  const isJfif = jpeg.readUInt16BE(2) === 0xffe0;
  const at = isJfif ? 4 + jpeg.readUInt16BE(4) : 2;
  const comment = Buffer.from([0xff, 0xfe, 0, 10, 0xfe, 0xff, 0, 0xe0, 4, 0, 0, 0]);
  return Buffer.concat([jpeg.subarray(0, at), comment, jpeg.subarray(at)]);
}
