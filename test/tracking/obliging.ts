import type { Reply, Seen } from '../mlflow-js-client/answering-server.ts';

/** An MLflow that knows one experiment and one run, and takes everything. */
export function obliging({ url, body }: Seen): Reply {
  if (url.includes('get-by-name')) {
    return { body: { experiment: { experiment_id: '1', name: 'e', lifecycle_stage: 'active' } } };
  }
  const tags = [{ key: 'harness.run_id', value: 'r' }];
  const info = { run_id: 'm', experiment_id: '1', artifact_uri: 'mlflow-artifacts:/1/m/artifacts' };
  const run = { info: { ...info, lifecycle_stage: 'active' }, data: { tags } };
  if (url.includes('runs/create') || url.includes('runs/get')) return { body: { run } };
  if (url.includes('log-batch') && body.includes('poison')) {
    return { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: 'poison' } };
  }
  return { body: {} };
}
