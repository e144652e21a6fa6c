import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Manner } from './ways.ts';

/** A tracking server of this process that knows one run and what was logged of it. */
export interface BenchServer {
  uri: string;
  /** Every metric point that arrived, once: `key step timestamp value`. */
  points: Set<string>;
  /** From now on requests are met so. */
  behave(manner: () => Manner): void;
  close(): Promise<void>;
}

interface Known {
  points: Set<string>;
  run: { info: object; data: { tags: unknown[]; params: unknown[] } } | undefined;
}

/** Opens one on a free port of this machine; it answers until it is told otherwise. */
export async function openBenchServer(): Promise<BenchServer> {
  const known: Known = { points: new Set(), run: undefined };
  let manner: () => Manner = () => ({ manner: 'answer' });
  const server = createServer((request, response) => {
    void meet(manner(), request, response, known).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    uri: `http://127.0.0.1:${port}`,
    points: known.points,
    behave: (next) => {
      manner = next;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function meet(manner: Manner, request: IncomingMessage, response: ServerResponse, known: Known): Promise<void> {
  if (manner.manner === 'hang') return;
  if (manner.manner === 'cut') return void request.socket.destroy();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (manner.manner === 'error') {
    const headers: Record<string, string> = manner.status === 429 ? { 'Retry-After': '1' } : {};
    return void response.writeHead(manner.status, headers).end('not now');
  }
  if (manner.afterMs !== undefined) await sleep(manner.afterMs);
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(answer(request.url ?? '', Buffer.concat(chunks).toString(), known)));
}

/** As much of MLflow's REST interface as an upload asks for. */
function answer(url: string, body: string, known: Known): object {
  if (url.includes('experiments/get-by-name')) {
    return { experiment: { experiment_id: '1', name: 'bench', lifecycle_stage: 'active' } };
  }
  if (url.includes('runs/create')) {
    const { tags } = JSON.parse(body) as { tags: unknown[] };
    const info = {
      run_id: 'r',
      experiment_id: '1',
      artifact_uri: 'mlflow-artifacts:/1/r/artifacts',
      lifecycle_stage: 'active',
    };
    known.run = { info, data: { tags, params: [] } };
    return { run: known.run };
  }
  if (url.includes('runs/get')) return { run: known.run };
  if (url.includes('runs/search')) return { runs: known.run === undefined ? [] : [known.run] };
  if (url.includes('model-versions/create')) return { model_version: { ...JSON.parse(body), version: '1' } };
  if (url.includes('runs/log-batch')) {
    const { metrics = [] } = JSON.parse(body) as {
      metrics?: { key: string; step: number; timestamp: number; value: number }[];
    };
    for (const { key, step, timestamp, value } of metrics) known.points.add(`${key} ${step} ${timestamp} ${value}`);
  }
  return {};
}
