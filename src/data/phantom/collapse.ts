import type { Rng } from '../../core/random.ts';
import { type Anatomy, aboveApex, depthOf, diaphragmAt, innerAt, type Side, wallAt } from './anatomy.ts';
import { bell } from './field.ts';

/** Where air has entered the pleural space. */
export type Site = 'apical' | 'lateral' | 'basal';

/** One pocket of air: the lung has withdrawn from the chest wall by `amount` (in units) around one place. */
export interface Pocket {
  site: Site;
  side: Side;
  /** Relative to the image's other pockets. */
  amount: number;
  /** Where along the wall (apical and lateral: depth in the lung; basal: distance from the spine), and how far it spreads. */
  centre: number;
  spread: number;
  /** A slow wave of the pleural line: relative height, cycles and phase. */
  wave: readonly [number, number, number];
}

/**
 * Draws an image's pockets: three quarters have one, the rest two to four as in the competition's label rows (23 % have
 * several), neighbouring (their masks overlap), apart, or in the other lung.
 */
export function drawPockets(rng: Rng, habit: { side: Side; site: Site }): Pocket[] {
  const side: Side = rng.chance(0.85) ? habit.side : habit.side === 1 ? -1 : 1;
  const site = rng.chance(0.7) ? habit.site : drawSite(rng);
  const pockets = [drawPocket(rng, side, site, 1)];
  if (!rng.chance(0.25)) return pockets;
  const count = rng.chance(0.75) ? 1 : rng.integer(2, 3);
  for (let i = 0; i < count; i++) {
    const other: Side = rng.chance(0.15) ? (side === 1 ? -1 : 1) : side;
    pockets.push(drawPocket(rng, other, drawSite(rng), rng.between(0.5, 1)));
  }
  return pockets;
}

/** The site a patient's pneumothoraces favour. */
export function drawSite(rng: Rng): Site {
  const u = rng.uniform();
  return u < 0.5 ? 'apical' : u < 0.8 ? 'lateral' : 'basal';
}

/**
 * How deep a point lies within the withdrawn lung, in units along the axes: negative in the air of this pocket.
 * It is the chest wall's own curve, moved inwards by the pocket's bump, so the pleural line runs parallel to the wall and
 * meets it at the pocket's ends.
 * @param scale what the pocket's amount is multiplied by.
 */
export function insideWithdrawn(anatomy: Anatomy, pocket: Pocket, scale: number, lateral: number, y: number): number {
  const t = depthOf(anatomy, y);
  const [height, cycles, phase] = pocket.wave;
  const along = pocket.site === 'basal' ? lateral : t;
  const bump = bell((along - pocket.centre) / (pocket.spread * (0.8 + 2 * scale)));
  const amount = scale * pocket.amount * bump * (1 + height * Math.sin(cycles * along + phase));
  if (pocket.site === 'lateral') return wallAt(anatomy, y) - amount - lateral;
  if (pocket.site === 'basal') {
    const sulcus = amount * 0.5 * bell((t - 1) / 0.2);
    return Math.min(diaphragmAt(anatomy, pocket.side, lateral) - amount - y, wallAt(anatomy, y) - sulcus - lateral);
  }
  const fallen = y - amount;
  if (fallen < anatomy.apexY) return aboveApex(anatomy, lateral, fallen);
  const wall = wallAt(anatomy, fallen) - amount * 0.4 - lateral;
  return Math.min(wall, lateral - innerAt(anatomy, pocket.side, fallen) + Math.max(0, t - 0.15));
}

function drawPocket(rng: Rng, side: Side, site: Site, amount: number): Pocket {
  const wave = [rng.between(0, 0.15), rng.between(4, 12), rng.between(0, 2 * Math.PI)] as const;
  const place = {
    apical: { centre: 0, spread: rng.between(0.14, 0.22) },
    lateral: { centre: rng.between(0.3, 0.75), spread: rng.between(0.09, 0.15) },
    basal: { centre: rng.between(0.4, 0.6), spread: rng.between(0.08, 0.14) },
  }[site];
  return { site, side, amount, wave, ...place };
}
