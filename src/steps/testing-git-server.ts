import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';

export interface GitServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** What each request to sign in with, decoded; undefined: nothing. */
  readonly logins: (string | undefined)[];
}

/**
 * The repositories below a directory over HTTP, by git's own server.
 *
 * @param login `user:password` that it wants; undefined: anybody may read.
 * @param fail how many requests are answered 503 first.
 */
export async function serveGit(root: string, login?: string, fail = 0): Promise<GitServer> {
  const logins: (string | undefined)[] = [];
  let failures = fail;
  const server = createServer((request, response) => {
    const [, basic] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    const given = basic === undefined ? undefined : Buffer.from(basic, 'base64').toString();
    logins.push(given);
    if (failures > 0) {
      failures -= 1;
      response.writeHead(503).end();
      return;
    }
    if (login !== undefined && given !== login) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
    });
    request.pipe(backend.stdin);
    const parts: Buffer[] = [];
    backend.stdout.on('data', (part: Buffer) => parts.push(part));
    backend.on('close', () => {
      const whole = Buffer.concat(parts);
      const end = whole.indexOf('\r\n\r\n');
      const headers = whole
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => line.split(': '));
      const status = Number.parseInt(headers.find(([name]) => name === 'Status')?.[1] ?? '200', 10);
      for (const [name = '', value = ''] of headers) if (name !== 'Status') response.setHeader(name, value);
      response.writeHead(status).end(whole.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, logins };
}
