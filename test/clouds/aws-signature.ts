import { createHash, createHmac } from 'node:crypto';
import type { CloudRequest } from './cloud.ts';

/** What an AWS Signature Version 4 says of who signed for what. */
export interface Signature {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  /** `X-Amz-Security-Token`: must be the signing session's. */
  readonly sessionToken: string | undefined;
  /** Whether the signature was made with this secret key, over this very request. */
  isMadeWith(secretKey: string): boolean;
}

const FORM =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** Reads the Authorization header of a POST without query (AWS's "Create a signed AWS API request"). */
export function readSignature(request: CloudRequest, body: string): Signature | undefined {
  const match = FORM.exec(request.headers.authorization ?? '');
  if (match === null) return undefined;
  const [, accessKeyId = '', day = '', region = '', service = '', signed = '', signature = ''] = match;
  const headers = signed
    .split(';')
    .map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`);
  const canonical = [request.method, request.url.pathname, '', headers.join(''), signed, sha256(body)].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'] ?? '', scope, sha256(canonical)].join('\n');
  return {
    accessKeyId,
    region,
    service,
    sessionToken: request.headers['x-amz-security-token'],
    isMadeWith(secretKey) {
      const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
        (soFar, part) => hmac(soFar, part),
        `AWS4${secretKey}`,
      );
      return hmac(key, text).toString('hex') === signature;
    },
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
