/** A request as a cloud sees it. */
export interface CloudRequest {
  readonly method: string;
  /** Lower case, without port. */
  readonly host: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body; not to be asked for when the request goes on to the registry. */
  text(): Promise<string>;
}

export interface CloudAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `registry`: the caller may pass to the real registry. */
export type Reply = CloudAnswer | 'registry';

/** One service, under its own host names (`*.` at the front stands for any names before the rest). */
export interface Cloud {
  readonly hosts: readonly string[];
  reply(request: CloudRequest): Reply | Promise<Reply>;
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): CloudAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

/** The error form of the registry protocol (distribution spec, "Errors"). */
export function registryError(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): CloudAnswer {
  return json(status, { errors: [{ code, message }] }, headers);
}

export const notFound: CloudAnswer = { status: 404, body: 'nothing is here' };

/** User and password of a Basic Authorization header; undefined for any other or none. */
export function basicOf(request: CloudRequest): { username: string; password: string } | undefined {
  const encoded = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

export function bearerOf(request: CloudRequest): string | undefined {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
}

/** Repository and kind of thing in a path of the registry protocol; undefined for `/v2/` itself. */
export function registryPath(url: URL): { repository: string; kind: 'manifests' | 'blobs' | 'tags' } | undefined {
  const match = /^\/v2\/(.+?)\/(manifests|blobs|tags)\//.exec(url.pathname);
  const [, repository, kind] = match ?? [];
  if (repository === undefined) return undefined;
  return { repository, kind: kind === 'manifests' ? 'manifests' : kind === 'blobs' ? 'blobs' : 'tags' };
}
