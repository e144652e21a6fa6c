import { MASK_SIZE } from '../../core/competition.ts';
import type { GrayImage, Mask } from '../../core/image.ts';
import type { Rng } from '../../core/random.ts';
import { type Air, type LungMap, placeAir } from './air.ts';
import { type Anatomy, depthOf, drawAnatomy, insideLung, type Side, wallAt } from './anatomy.ts';
import { addBones, type Places } from './bones.ts';
import { drawPockets, drawSite } from './collapse.ts';
import { addDistractors } from './distractors.ts';
import { expose } from './exposure.ts';
import { bell, enlarge, type Field, smoothNoise, smoothstep, streamOf, zeroField } from './field.ts';
import { drawArea, drawLook, type Look } from './look.ts';
import type { PhantomImage } from './plan.ts';
import { coordinatesOf, type Pose, pixelOf } from './pose.ts';
import { softTissueAt } from './soft-tissue.ts';
import { drawVessels } from './vessels.ts';

/** Smooth structure is drawn at a quarter of the side, bones and vessels at half, line and noise at full resolution. */
const COARSE = MASK_SIZE / 4;
const MIDDLE = MASK_SIZE / 2;

/** A synthetic radiograph and its truth. */
export interface Radiograph {
  pixels: GrayImage;
  /** One mask a label row, some of them overlapping; none in a negative. */
  masks: Mask[];
}

/** Draws one image of a phantom: the same seed and image give the same pixels and masks. */
export function renderRadiograph(image: PhantomImage, seed: number): Radiograph {
  const person = streamOf(seed, 'person', image.patient.id);
  const anatomy = drawAnatomy(person, image.patient.sex);
  const habit = { side: person.chance(0.5) ? (-1 as const) : (1 as const), site: drawSite(person) };
  const rng = streamOf(seed, 'image', image.id);
  const look = drawLook(rng, image);
  const map = mapLungs(anatomy, look.pose);
  const air = image.positive ? placeAir(anatomy, drawPockets(rng, habit), drawArea(rng), map) : undefined;
  const attenuation = composeAttenuation(rng, anatomy, look, map, air);
  return { pixels: expose(rng, attenuation, look), masks: air?.masks ?? [] };
}

function mapLungs(anatomy: Anatomy, pose: Pose): LungMap & Places {
  const { x, y } = coordinatesOf(pose, COARSE);
  const [lung, wall] = [zeroField(COARSE), zeroField(COARSE)];
  for (let i = 0; i < lung.data.length; i++) {
    const side: Side = x.data[i]! < 0 ? -1 : 1;
    lung.data[i] = insideLung(anatomy, side, Math.abs(x.data[i]!), y.data[i]!);
    wall.data[i] = wallAt(anatomy, y.data[i]!);
  }
  return { x, y, lung, wall };
}

/** Everything in the beam's way, at full resolution, without noise. */
function composeAttenuation(rng: Rng, anatomy: Anatomy, look: Look, map: LungMap & Places, air: Air | undefined) {
  const attenuation = enlarge(drawSmooth(rng, anatomy, look, map, air), MIDDLE);
  addDetail(attenuation, rng, anatomy, look, map, air);
  const fine = enlarge(attenuation, MASK_SIZE);
  if (air !== undefined) addPleuralLine(fine, look, map, air);
  return fine;
}

/** Soft tissue less the lungs, with slow unevenness; the air is darker, the withdrawn lung a little denser at its edge. */
function drawSmooth(rng: Rng, anatomy: Anatomy, look: Look, map: LungMap, air: Air | undefined): Field {
  const field = zeroField(COARSE);
  const clouds = smoothNoise(rng, 7, COARSE);
  for (let i = 0; i < field.data.length; i++) {
    const x = map.x.data[i]!;
    const y = map.y.data[i]!;
    const half = x < 0 ? 0 : 1;
    const inside = map.lung.data[i]!;
    let value = softTissueAt(anatomy, look.breasts, x, y) + 0.018 * clouds.data[i]!;
    if (inside > -0.01) {
      const depth = anatomy.lungDepth[half]! + look.aeration[half]! + look.slope[half]! * (depthOf(anatomy, y) - 0.5);
      const thick = smoothstep(-0.008, 0.012, inside) * (1 - 0.55 * Math.exp(-inside / 0.09));
      value -= depth * thick;
    }
    if (air !== undefined) value -= look.airDepth * smoothstep(-2, 4, air.depth.data[i]!);
    field.data[i] = value;
  }
  return field;
}

/** Bones, distractors, and the lung markings, which end where the air begins. */
function addDetail(
  attenuation: Field,
  rng: Rng,
  anatomy: Anatomy,
  look: Look,
  map: LungMap & Places,
  air: Air | undefined,
): void {
  const places = { x: enlarge(map.x, MIDDLE), y: enlarge(map.y, MIDDLE), wall: enlarge(map.wall, MIDDLE) };
  addBones(attenuation, anatomy, look.scapula, places);
  addDistractors(attenuation, rng, anatomy, look.distractors, places);
  const markings = drawMarkings(rng, anatomy, look.pose);
  const kept = enlarge(markingsKept(map, air), MIDDLE);
  for (let i = 0; i < kept.data.length; i++) {
    if (kept.data[i]! > 0) attenuation.data[i] = attenuation.data[i]! + kept.data[i]! * markings.data[i]!;
  }
}

/** 1 in the lung, 0 outside and in the air. */
function markingsKept(map: LungMap, air: Air | undefined): Field {
  const kept = zeroField(COARSE);
  for (let i = 0; i < kept.data.length; i++) {
    const withdrawn = air === undefined ? 1 : smoothstep(2, -2, air.depth.data[i]!);
    kept.data[i] = withdrawn * smoothstep(0, 0.03, map.lung.data[i]!);
  }
  return kept;
}

function drawMarkings(rng: Rng, anatomy: Anatomy, pose: Pose): Field {
  const y = anatomy.apexY + 0.45 * (anatomy.sulcusY - anatomy.apexY);
  const toPixel = (px: number, py: number) => pixelOf(pose, MIDDLE, px, py);
  const roots = ([-1, 1] as const).map((side) => ({ side, lateral: 0.16, y: y - (side > 0 ? 0.03 : 0), toPixel }));
  const coarse = smoothNoise(rng, 52, COARSE);
  const fine = smoothNoise(rng, 128, COARSE);
  for (let i = 0; i < fine.data.length; i++) {
    fine.data[i] = anatomy.texture * (0.75 * coarse.data[i]! + 0.65 * fine.data[i]!);
  }
  const markings = enlarge(fine, MIDDLE);
  const vessels = drawVessels(rng, roots, MIDDLE);
  for (let i = 0; i < markings.data.length; i++) {
    markings.data[i] = markings.data[i]! + anatomy.vessels * vessels.data[i]!;
  }
  return markings;
}

/** The visceral pleura: a thin bright line where the lung has withdrawn, not along the chest wall. */
function addPleuralLine(attenuation: Field, look: Look, map: LungMap, air: Air): void {
  const lung = enlarge(map.lung, MASK_SIZE);
  const depth = enlarge(air.depth, MASK_SIZE);
  const reach = 4 * look.lineBreadth;
  for (let i = 0; i < depth.data.length; i++) {
    const offset = depth.data[i]!;
    if (offset > reach || offset < -reach || lung.data[i]! < 0.006) continue;
    const free = smoothstep(0.006, 0.02, lung.data[i]!);
    attenuation.data[i] = attenuation.data[i]! + look.line * free * bell(offset / look.lineBreadth);
  }
}
