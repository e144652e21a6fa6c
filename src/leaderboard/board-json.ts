import { BOARD_COLUMNS, type Board } from './board.ts';

/** The leaderboard for scripts (see docs/reference/files.md); what is not known is null. */
export function boardJson({ rows, agreements, expectations }: Board) {
  return {
    format: 1,
    submissions: rows.map((row) => ({
      id: row.submission.id,
      stage: row.submission.manifest.stage,
      final: row.final ?? null,
      members: row.submission.manifest.members.map(({ run_id, checkpoint, weight }) => ({
        run_id,
        checkpoint,
        weight,
      })),
      ...Object.fromEntries(BOARD_COLUMNS.map((column) => [column, row[column] ?? null])),
    })),
    rank_correlations: agreements.map(({ stage, first, second, submissions, correlation }) => ({
      ...{ stage, first, second, submissions },
      correlation: Number.isNaN(correlation) ? null : correlation,
    })),
    shake_ups: expectations.map(({ stage, submissions, images, shakeUps }) => ({
      ...{ stage, submissions, images },
      by_public_part: shakeUps.map(({ share, sameBest, ranksMoved, deviation }) => ({
        public_part: share,
        leader_stays: sameBest,
        ranks_moved: ranksMoved,
        score_deviation: deviation,
      })),
    })),
  };
}
