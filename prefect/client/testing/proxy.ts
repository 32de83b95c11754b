import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { listen } from './api-server.ts';
import { CERTIFICATE, PRIVATE_KEY } from './certificate.ts';

/**
 * A real proxy: tunnels by CONNECT, forwards plain requests, and wants the credentials it was given, if any.
 *
 * @param secure spoken to over TLS itself, with the certificate that AUTHORITY vouches for.
 */
export async function proxy(credentials?: string, secure = false, address = '127.0.0.1') {
  const seen: string[] = [];
  const wanted = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
  const forward: RequestListener = async (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (wanted && request.headers['proxy-authorization'] !== wanted) return response.writeHead(407).end();
    const answer = await fetch(request.url ?? '');
    return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  };
  const server = secure ? createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, forward) : createHttpServer(forward);
  server.on('connect', (request, socket, head) => {
    seen.push(`CONNECT ${request.url}`);
    if (wanted && request.headers['proxy-authorization'] !== wanted) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  return { seen, port: await listen(server, address) };
}
