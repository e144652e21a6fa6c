import type { Batch } from './batch.ts';
import { splitBatch } from './batch.ts';
import { checkDataset, checkStatus, checkTag } from './check.ts';
import type { Connection } from './connection.ts';
import type { DatasetInput, Metric, Run, RunStatus, Tag } from './types.ts';

export interface NewRun {
  experimentId: string;
  runName?: string;
  /** Milliseconds since 1970; now unless told. */
  startTime?: number;
  tags?: readonly Tag[];
}

export interface RunChange {
  status?: RunStatus;
  /** Milliseconds since 1970. */
  endTime?: number;
  runName?: string;
}

export interface RunSearch {
  experimentIds: readonly string[];
  /** MLflow's language: `` tags.`mlflow.user` = 'me' and metrics.loss < 1 ``. */
  filter?: string;
  orderBy?: readonly string[];
  /** At most so many runs; all unless told. */
  limit?: number;
}

const PAGE = 1000;

/** What came over the wire: empty lists are left out, NaN is a string. */
interface WireRun {
  info: Run['info'];
  data?: { metrics?: (Omit<Metric, 'value'> & { value: number | string })[]; params?: Tag[]; tags?: Tag[] };
}

/** Creates a run in state RUNNING. Not repeated when the answer is lost: there could be two. */
export async function createRun(connection: Connection, run: NewRun): Promise<Run> {
  const { experimentId, runName, startTime = Date.now(), tags = [] } = run;
  tags.forEach(checkTag);
  const body = { experiment_id: experimentId, run_name: runName, start_time: startTime, tags };
  return readRun((await connection.post<{ run: WireRun }>('runs/create', body, false)).run);
}

/** Changes what is given and leaves the rest. */
export async function updateRun(connection: Connection, runId: string, change: RunChange): Promise<void> {
  if (change.status !== undefined) checkStatus(change.status);
  const { status, endTime, runName } = change;
  await connection.post('runs/update', { run_id: runId, status, end_time: endTime, run_name: runName }, true);
}

/** A run with its last metrics, params and tags; MlflowError `RESOURCE_DOES_NOT_EXIST` where there is none. */
export async function getRun(connection: Connection, runId: string): Promise<Run> {
  return readRun((await connection.get<{ run: WireRun }>('runs/get', { run_id: runId })).run);
}

/** The active runs that fit, page by page up to the limit. */
export async function searchRuns(connection: Connection, search: RunSearch): Promise<Run[]> {
  const { experimentIds, filter, orderBy, limit = Number.POSITIVE_INFINITY } = search;
  const runs: Run[] = [];
  let token: string | undefined;
  do {
    const body = {
      experiment_ids: experimentIds,
      filter,
      order_by: orderBy,
      max_results: Math.min(PAGE, limit - runs.length),
      page_token: token,
    };
    const page = await connection.post<{ runs?: WireRun[]; next_page_token?: string }>('runs/search', body, true);
    runs.push(...(page.runs ?? []).map(readRun));
    token = page.next_page_token;
  } while (token && runs.length < limit);
  return runs;
}

/**
 * Logs metrics, tags and params in as few requests as the server's limits allow, in this order. Metrics carry their
 * timestamps, so sending them again stores nothing twice. Params are immutable: MlflowError `INVALID_PARAMETER_VALUE`
 * where one has another value already. Throws RangeError, before anything is sent, for what the server would cut or refuse.
 */
export async function logBatch(connection: Connection, runId: string, batch: Batch): Promise<void> {
  for (const part of splitBatch(batch)) await connection.post('runs/log-batch', { run_id: runId, ...part }, true);
}

/** Sets or overwrites one tag. */
export async function setTag(connection: Connection, runId: string, key: string, value: string): Promise<void> {
  checkTag({ key, value });
  await connection.post('runs/set-tag', { run_id: runId, key, value }, true);
}

/** Says which data sets a run read; the same again changes nothing. */
export async function logInputs(connection: Connection, runId: string, datasets: readonly DatasetInput[]) {
  datasets.forEach(checkDataset);
  await connection.post('runs/log-inputs', { run_id: runId, datasets }, true);
}

/** Every value of a metric in the order of the server's pages (by timestamp, then step). */
export async function getMetricHistory(connection: Connection, runId: string, key: string): Promise<Metric[]> {
  const metrics: Metric[] = [];
  let token: string | undefined;
  do {
    const query = { run_id: runId, metric_key: key, max_results: 25_000, page_token: token };
    const page = await connection.get<{ metrics?: WireMetric[]; next_page_token?: string }>(
      'metrics/get-history',
      query,
    );
    metrics.push(...(page.metrics ?? []).map(readMetric));
    token = page.next_page_token;
  } while (token);
  return metrics;
}

type WireMetric = NonNullable<NonNullable<WireRun['data']>['metrics']>[number];

function readRun({ info, data = {} }: WireRun): Run {
  const { metrics = [], params = [], tags = [] } = data;
  return { info, data: { metrics: metrics.map(readMetric), params, tags } };
}

/** Numbers of 64 bits may come as text, NaN always does. */
function readMetric({ key, value, timestamp, step }: WireMetric): Metric {
  return { key, value: Number(value), timestamp: Number(timestamp), step: Number(step ?? 0) };
}
