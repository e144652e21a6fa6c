import type { Anatomy } from './anatomy.ts';
import { type Field, smoothstep } from './field.ts';

/** Where every pixel lies, and how far the chest wall is from the spine at its height. */
export interface Places {
  x: Field;
  y: Field;
  wall: Field;
}

/** Adds the attenuation of ribs (behind and, fainter, in front), collar bones and the shoulder blades' inner edges. */
export function addBones(attenuation: Field, anatomy: Anatomy, scapula: number, places: Places): void {
  const { data } = attenuation;
  for (let i = 0; i < data.length; i++) {
    const lateral = Math.abs(places.x.data[i]!);
    const y = places.y.data[i]!;
    const wall = places.wall.data[i]!;
    data[i] =
      data[i]! +
      ribsAt(anatomy, lateral, y, wall) +
      clavicleAt(anatomy, lateral, y) +
      scapulaAt(scapula, lateral, y, wall);
  }
}

function ribsAt({ rib, sulcusY }: Anatomy, lateral: number, y: number, wall: number): number {
  if (lateral > wall + 0.07 || y > sulcusY + 0.2) return 0;
  const across = Math.min(1.1, lateral / wall);
  const cage = smoothstep(wall + 0.06, wall, lateral) * smoothstep(sulcusY + 0.15, sulcusY - 0.2, y);
  const behindY = rib.arch * (1.2 * across * across * across - 2.4 * across * (1 - across) * 0.9);
  const behind = ribProfile((y - behindY - rib.first) / rib.spacing, rib.width) * smoothstep(0.04, 0.2, lateral);
  const frontY = rib.arch * across + rib.drop * (1 - across);
  const front = ribProfile((y - frontY - rib.first) / rib.spacing, rib.width * 1.15) * smoothstep(0.25, 0.5, across);
  return rib.strength * cage * (behind + 0.6 * front);
}

/** Ribs repeat with period 1 from 0 to 10; each is a band with brighter borders, its cortex. */
function ribProfile(position: number, width: number): number {
  if (position < 0 || position > 10) return 0;
  const offset = Math.abs(position - Math.floor(position) - 0.5) / (width / 2);
  if (offset > 1.25) return 0;
  return smoothstep(1.2, 0.9, offset) * (0.7 + 0.5 * offset * offset);
}

function clavicleAt({ clavicleY }: Anatomy, lateral: number, y: number): number {
  if (lateral < 0.05 || lateral > 0.85) return 0;
  const ends = smoothstep(0.05, 0.1, lateral) * smoothstep(0.85, 0.7, lateral);
  const s = (lateral - 0.05) / 0.7;
  const middle = clavicleY + 0.09 - 0.2 * s + 0.09 * s * s;
  const offset = Math.abs(y - middle) / (0.026 + 0.008 * s);
  if (offset > 1.25) return 0;
  return 0.085 * smoothstep(1.2, 0.85, offset) * (0.75 + 0.35 * offset * offset) * ends;
}

/** Brighter beyond an oblique edge over the outer upper lung: an edge that is no pleural line. */
function scapulaAt(strength: number, lateral: number, y: number, wall: number): number {
  const edge = wall - 0.1 + 0.22 * (y + 0.35);
  const along = smoothstep(-0.62, -0.5, y) * smoothstep(0.12, -0.05, y);
  return strength * along * smoothstep(edge - 0.008, edge + 0.008, lateral);
}
