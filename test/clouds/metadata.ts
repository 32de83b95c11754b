import type { AwsRole, AwsSts } from './aws-sts.ts';
import type { Azure } from './azure.ts';
import { type Cloud, type CloudRequest, json, notFound, type Reply } from './cloud.ts';
import { METADATA_ADDRESS } from './enclosure.ts';
import { type Google, SERVICE_ACCOUNT } from './google.ts';
import type { Minted } from './minted.ts';

/** What the runner's machine is: a cloud's own has that cloud's metadata service, with an identity. May be set. */
export interface Metadata {
  readonly clouds: readonly Cloud[];
  machine: 'none' | 'EC2' | 'Compute Engine' | 'Azure';
}

const NODE = 'node';
const AWS = '/latest/meta-data/iam/security-credentials/';

export function startMetadata(aws: AwsSts, role: AwsRole, google: Google, azure: Azure, minted: Minted): Metadata {
  const sessions = new Set<string>();

  const ec2 = ({ method, url, headers }: CloudRequest): Reply => {
    if (method === 'PUT' && url.pathname === '/latest/api/token') {
      const session = minted.make('imds-');
      sessions.add(session);
      return { status: 200, headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' }, body: session };
    }
    if (!sessions.has(headers['x-aws-ec2-metadata-token'] ?? '')) return { status: 401 };
    if (url.pathname === AWS) return { status: 200, body: NODE };
    if (url.pathname !== `${AWS}${NODE}`) return notFound;
    const { accessKeyId, secretKey, token } = aws.issue(role, NODE);
    const Expiration = new Date(Date.now() + 3_600_000).toISOString();
    const keys = { AccessKeyId: accessKeyId, SecretAccessKey: secretKey, Token: token, Expiration };
    return json(200, { Code: 'Success', Type: 'AWS-HMAC', LastUpdated: new Date().toISOString(), ...keys });
  };

  const computeEngine = ({ url, headers }: CloudRequest): Reply => {
    if (headers['metadata-flavor'] !== 'Google') return { status: 403 };
    const flavor = { 'metadata-flavor': 'Google' };
    const account = '/computeMetadata/v1/instance/service-accounts/default';
    switch (url.pathname.replace(/\/$/, '')) {
      case '/computeMetadata/v1/instance':
        return { status: 200, headers: flavor, body: 'ok' };
      case `${account}/token`:
        return json(200, { access_token: google.issue(), expires_in: 3599, token_type: 'Bearer' }, flavor);
      case `${account}/email`:
        return { status: 200, headers: flavor, body: SERVICE_ACCOUNT };
      case '/computeMetadata/v1/universe/universe-domain':
        return { status: 200, headers: flavor, body: 'googleapis.com' };
      default:
        return notFound;
    }
  };

  const azureMachine = async ({ url, headers }: CloudRequest): Promise<Reply> => {
    if (headers.metadata !== 'true') return json(400, { error: 'invalid_request' });
    if (url.pathname !== '/metadata/identity/oauth2/token') return notFound;
    const resource = url.searchParams.get('resource');
    if (resource !== 'https://containerregistry.azure.net') return json(400, { error: 'invalid_resource' });
    const expiresOn = Math.round(Date.now() / 1000) + 3600;
    const access_token = await azure.issue();
    return json(200, { access_token, expires_in: '3600', expires_on: `${expiresOn}`, resource, token_type: 'Bearer' });
  };

  const metadata: Metadata = {
    machine: 'none',
    clouds: [
      {
        hosts: [METADATA_ADDRESS, 'metadata.google.internal'],
        reply(request) {
          switch (metadata.machine) {
            case 'none':
              return notFound;
            case 'EC2':
              return ec2(request);
            case 'Compute Engine':
              return computeEngine(request);
            case 'Azure':
              return azureMachine(request);
          }
        },
      },
    ],
  };
  return metadata;
}
