import type { Rng } from '../../core/random.ts';
import { type Field, mapField } from './field.ts';

/** How one picture was taken: where the patient stood, and how the detector was set. */
export interface Pose {
  scale: number;
  /** Rotation in radians, and shift in units of half a picture. */
  turn: number;
  shift: readonly [number, number];
  /** Slow waves that make every outline a little different: strength, cycles and phase, across and down. */
  bend: readonly [Wave, Wave];
  /** Whether the other half of the chest lies closer: the breadth of the left half over the right's. */
  skew: number;
}

interface Wave {
  strength: number;
  cycles: number;
  phase: number;
}

/** Draws a pose; pictures taken lying in bed (AP) are the more irregular. */
export function drawPose(rng: Rng, view: 'PA' | 'AP'): Pose {
  const loose = view === 'AP' ? 1.5 : 1;
  const wave = () => ({ strength: rng.between(0, 0.016), cycles: rng.between(1.5, 4), phase: rng.between(0, 6.28) });
  return {
    scale: rng.between(0.86, 1.06) * (view === 'AP' ? 1.03 : 1),
    turn: 0.03 * loose * rng.normal(),
    shift: [0.04 * loose * rng.normal(), 0.04 * loose * rng.normal()],
    bend: [wave(), wave()],
    skew: 1 + 0.03 * loose * rng.normal(),
  };
}

/** The anatomy's x and y (see Anatomy) at every pixel. */
export function coordinatesOf(pose: Pose, size: number): { x: Field; y: Field } {
  const [cos, sin] = [Math.cos(pose.turn) / pose.scale, Math.sin(pose.turn) / pose.scale];
  const [across, down] = pose.bend;
  const x = mapField(size, (u, v) => {
    const straight = (u - pose.shift[0]) * cos + (v - pose.shift[1]) * sin;
    const bent = straight + across.strength * Math.sin(across.cycles * v + across.phase);
    return bent > 0 ? bent / pose.skew : bent;
  });
  const y = mapField(size, (u, v) => {
    const straight = (v - pose.shift[1]) * cos - (u - pose.shift[0]) * sin;
    return straight + down.strength * Math.sin(down.cycles * u + down.phase);
  });
  return { x, y };
}

/** The pixel at which a point of the anatomy lies (its slow waves left out), for what is drawn stroke by stroke. */
export function pixelOf(pose: Pose, size: number, x: number, y: number): [number, number] {
  const across = (x > 0 ? x * pose.skew : x) * pose.scale;
  const down = y * pose.scale;
  const [cos, sin] = [Math.cos(pose.turn), Math.sin(pose.turn)];
  const u = across * cos - down * sin + pose.shift[0];
  const v = across * sin + down * cos + pose.shift[1];
  return [((u + 1) * size) / 2 - 0.5, ((v + 1) * size) / 2 - 0.5];
}
