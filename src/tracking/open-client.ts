import { createMlflowClient, type MlflowClient } from 'mlflow-js-client';
import type { Tracking } from './tracking.ts';

/** A client of a server, with whatever it takes to get there. */
export function openClient(
  { uri, auth, transport }: Tracking,
  limits: { timeoutMs?: number; retries?: number } = {},
): MlflowClient {
  return createMlflowClient({ trackingUri: uri, ...(auth === undefined ? {} : { auth }), ...transport, ...limits });
}
