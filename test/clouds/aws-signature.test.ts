import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readSignature } from './aws-signature.ts';
import type { CloudRequest } from './cloud.ts';

/** Made by @smithy/signature-v4 for these very values. */
const SIGNATURE = '6c9494504249be1b2ba34babd6df29ceae8669c37acae1f869068fb6a849b6fc';
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const BODY = '{"registryIds":["123456789012"]}';
const SIGNED = 'content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-target';

describe('the signature of a request to AWS', () => {
  it('is good when it was made with the secret key', () => {
    const signature = readSignature(request(), BODY);
    expect(signature).toMatchObject({
      accessKeyId: 'AKIDEXAMPLE',
      region: 'eu-west-1',
      service: 'ecr',
      sessionToken: 'tok==',
    });
    expect(signature?.isMadeWith(SECRET)).toBe(true);
  });

  it('is not good for another key, another body, or another session', () => {
    expect(readSignature(request(), BODY)?.isMadeWith('another')).toBe(false);
    expect(readSignature(request(), '{}')?.isMadeWith(SECRET)).toBe(false);
    expect(readSignature(request({ 'x-amz-security-token': 'other' }), BODY)?.isMadeWith(SECRET)).toBe(false);
  });

  it('is not there without its header', () => {
    expect(readSignature(request({ authorization: 'Bearer x' }), BODY)).toBeUndefined();
  });
});

function request(headers: Readonly<Record<string, string>> = {}): CloudRequest {
  const credential = 'AKIDEXAMPLE/20260102/eu-west-1/ecr/aws4_request';
  return {
    method: 'POST',
    host: 'api.ecr.eu-west-1.amazonaws.com',
    url: new URL('https://api.ecr.eu-west-1.amazonaws.com/'),
    headers: {
      host: 'api.ecr.eu-west-1.amazonaws.com',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
      'x-amz-date': '20260102T030405Z',
      'x-amz-security-token': 'tok==',
      'x-amz-content-sha256': createHash('sha256').update(BODY).digest('hex'),
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${SIGNED}, Signature=${SIGNATURE}`,
      ...headers,
    },
    text: () => Promise.resolve(BODY),
  };
}
