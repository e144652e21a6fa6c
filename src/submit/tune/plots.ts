import type { Html } from '../../pages/html.ts';
import { plot } from '../../pages/plot.ts';
import type { TuneReport } from './report.ts';

/** From little to much, for the picture of the plateau: bright is much, in any kind of sight. */
const RAMP = ['#2e1056', '#801e6e', '#cd3e4c', '#f68630', '#fcf096'];

/** Mean Dice over threshold and least area, and where the setting is. */
export async function plateauPlot({ plateau, postprocess }: TuneReport): Promise<Html> {
  const { thresholds, areas, dice } = plateau;
  const values = thresholds.flatMap((threshold, row) =>
    areas.map((area, column) => ({ threshold, area, dice: dice[row]![column]! })),
  );
  const x = { field: 'threshold', type: 'ordinal', title: 'threshold', axis: { labelAngle: 0, labelOverlap: true } };
  const y = { field: 'area', type: 'ordinal', title: 'least area in pixels', sort: 'descending' };
  const found = [{ threshold: postprocess.threshold, area: postprocess.min_component_area }];
  const best = Math.max(...dice.flat());
  // Far below the plateau colours would tell nothing of it.
  const least = Math.max(Math.min(...dice.flat()), best - 0.05);
  return await plot(
    {
      height: 300,
      data: { values },
      layer: [
        {
          mark: { type: 'rect' },
          encoding: {
            ...{ x, y },
            color: {
              ...{ field: 'dice', type: 'quantitative', title: 'Dice' },
              scale: { domain: [least, best], range: RAMP, clamp: true },
              legend: { format: '.3f', gradientLength: 200 },
            },
          },
        },
        {
          data: { values: found },
          mark: {
            type: 'point',
            shape: 'cross',
            filled: true,
            size: 110,
            color: '#101317',
            stroke: '#ffffff',
            opacity: 1,
          },
          encoding: { x, y },
        },
      ],
    },
    `Mean Dice over threshold and least area; found at ${postprocess.threshold} and ${postprocess.min_component_area} pixels`,
  );
}

/** Mean Dice over the gate's threshold. */
export async function gatePlot({ plateau, postprocess }: TuneReport): Promise<Html> {
  const gate = postprocess.gate!;
  const x = { field: 'threshold', type: 'quantitative', title: `gate: ${gate.statistic}`, scale: { zero: false } };
  const y = { field: 'dice', type: 'quantitative', title: 'Dice', scale: { zero: false } };
  return await plot(
    {
      height: 300,
      data: { values: plateau.gate },
      layer: [
        { mark: { type: 'line', color: 'var(--plain)' }, encoding: { x, y } },
        {
          data: { values: [{ threshold: gate.threshold }] },
          mark: { type: 'rule', color: 'var(--ink)', strokeDash: [4, 3] },
          encoding: { x },
        },
      ],
    },
    `Mean Dice over the gate's threshold, found at ${gate.threshold}`,
  );
}
