import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';

/** A request as the server saw it. */
export interface Seen {
  method: string;
  /** Path with its query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What to answer: a status and a body (an object goes as JSON); 'hang' never answers; 'drop' cuts the connection. */
export type Reply = { status?: number; body?: unknown; headers?: Record<string, string> } | 'hang' | 'drop';

export interface AnsweringServer {
  uri: string;
  seen: Seen[];
  stop(): Promise<void>;
}

/** A server on a free port of this machine that answers as the test says and remembers what it was asked. */
export async function startAnswering(reply: (seen: Seen, count: number) => Reply, port = 0): Promise<AnsweringServer> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    answer(response, reply(seen.at(-1)!, seen.length));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    seen,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(response: ServerResponse, reply: Reply): void {
  if (reply === 'hang') return;
  if (reply === 'drop') {
    response.destroy();
    return;
  }
  const { status = 200, body = {}, headers = {} } = reply;
  response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
}
