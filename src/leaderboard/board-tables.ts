import { FINAL_SUBMISSIONS } from '../core/competition.ts';
import { decimal } from '../pages/numbers.ts';
import { BOARD_COLUMNS, type Board, type BoardRow, localOf } from './board.ts';
import type { PlainTable } from './comparison-tables.ts';

const HEADINGS = {
  validation: 'Validation',
  oof: 'Out of fold',
  offline: 'Offline',
  public: 'Public',
  private: 'Private',
} as const;

/** Every submission, with what it is known to score. */
export function boardTable({ rows }: Board): PlainTable {
  return {
    caption: 'Submissions',
    columns: [
      { heading: 'Submission' },
      { heading: 'Stage' },
      { heading: 'Members' },
      ...BOARD_COLUMNS.map((column) => ({ heading: HEADINGS[column], numeric: true })),
    ],
    rows: rows.map((row) => [
      row.submission.id,
      `${row.submission.manifest.stage}${row.final === undefined ? '' : ', final'}`,
      row.members.map(nameMember).join(' + '),
      ...BOARD_COLUMNS.map((column) => decimal(row[column], 4)),
    ]),
  };
}

/** How far each score tells the order of another. */
export function agreementTable({ agreements }: Board): PlainTable {
  return {
    caption: 'Rank correlations',
    columns: [
      { heading: 'Scores' },
      { heading: 'Stage' },
      { heading: 'Submissions', numeric: true },
      { heading: 'Rank correlation', numeric: true },
    ],
    rows: agreements.map(({ stage, first, second, submissions, correlation }) => [
      `${first} and ${second}`,
      String(stage),
      String(submissions),
      Number.isNaN(correlation) ? 'too few' : decimal(correlation, 2),
    ]),
  };
}

/** What to expect where a public board shows a part of the images. */
export function shakeUpTable({ expectations }: Board): PlainTable {
  return {
    caption: 'Expected shake-up',
    columns: [
      { heading: 'Images' },
      { heading: 'Submissions', numeric: true },
      { heading: 'Public part', numeric: true },
      { heading: 'The leader stays', numeric: true },
      { heading: 'Ranks moved', numeric: true },
      { heading: 'Score moves by', numeric: true },
    ],
    rows: expectations.flatMap(({ stage, submissions, images, shakeUps }) =>
      shakeUps.map(({ share, sameBest, ranksMoved, deviation }) => [
        `${images} of ${stage === 'oof' ? 'validation' : `stage ${stage}`}`,
        String(submissions.length),
        `${Math.round(100 * share)} %`,
        `${(100 * sameBest).toFixed(0)} %`,
        decimal(ranksMoved, 1),
        `± ${decimal(deviation, 4)}`,
      ]),
    ),
  };
}

/** Which submissions to choose in the end, where there is a choice: the best locally, and the best on the public board. */
export function sayFinals({ rows }: Board): string {
  const stage2 = rows.filter(({ submission }) => submission.manifest.stage === 2);
  const best = (figure: (row: BoardRow) => number | undefined) =>
    [...stage2].filter((row) => figure(row) !== undefined).sort((a, b) => figure(b)! - figure(a)!)[0]?.submission.id;
  const [local, shown] = [best(localOf), best((row) => row.public)];
  const names = [
    ...(local === undefined ? [] : [`best locally ${local}`]),
    ...(shown === undefined ? [] : [`best on the public board ${shown}`]),
  ];
  const marked = rows.filter((row) => row.final !== undefined).map(({ submission }) => submission.id);
  if (marked.length > 0) names.push(`marked with \`final\`: ${marked.join(', ')}`);
  const count = `${FINAL_SUBMISSIONS} submissions of stage 2 count in the end`;
  return names.length === 0 ? `${count}.` : `${count}: ${names.join('; ')}.`;
}

function nameMember({ name, checkpoint, weight }: BoardRow['members'][number]): string {
  return `${weight === 1 ? '' : `${weight} × `}${name} ${checkpoint}`;
}
