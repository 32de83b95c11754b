import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTestWorld } from '../source/testing-world.ts';
import { awsProblem, roleProblem } from './aws-failure.ts';
import { azureProblem } from './azure-failure.ts';
import { googleProblem } from './google-failure.ts';
import { requestOidcToken } from './oidc.ts';
import { explainMissingRepository, explainPushRefusal } from './push-refusal.ts';

const CLAIMS = { sub: 'repo:acme/hello:ref:refs/heads/main', aud: 'sts.amazonaws.com', iss: 'https://issuer.example' };
const ROLE = 'arn:aws:iam::123456789012:role/slipway';
const ECR = { host: '123456789012.dkr.ecr.eu-west-1.amazonaws.com', path: 'hello' };
const GHCR = { host: 'ghcr.io', path: 'acme/hello' };
const KEYS = { accessKeyId: 'AKIA', secretAccessKey: 'secret' };

/** An error as AWS's library throws it. */
function awsError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

const denied = awsError(
  'AccessDeniedException',
  'User: x is not authorized to perform: ecr:GetAuthorizationToken on resource: *',
);

describe('docs/troubleshooting.md has a row for', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../../docs/troubleshooting.md'), 'utf8');
  // The texts that a row is found by are its first cell's; `…` stands for what differs from case to case.
  const keys = [...text.matchAll(/^\| (`.+?`) \| /gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, key = '']) => key),
  );
  const patternOf = (key: string) => new RegExp(key.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('…', '.*'), 'i');
  const fits = (message: string) => keys.filter((key) => patternOf(key).test(message));

  it.each<[string, string]>([
    ['a trust policy of AWS', roleProblem(ROLE, CLAIMS, awsError('AccessDenied', 'Not authorized')).message],
    [
      'an AWS account that does not know GitHub',
      roleProblem(ROLE, CLAIMS, awsError('x', 'No OpenIDConnect provider found in your account')).message,
    ],
    [
      'an audience that AWS does not take',
      roleProblem(ROLE, CLAIMS, awsError('InvalidIdentityToken', 'Incorrect token audience')).message,
    ],
    ['an IAM action', awsProblem('ecr', 'ECR gives no password', { keys: KEYS, source: 'the role' }, denied).message],
    [
      'an attribute condition of Google',
      googleProblem(new Error('rejected by the attribute condition'), { who: 'x' }).message,
    ],
    ['a credential that Entra does not know', azureProblem(new Error('AADSTS700213: no match'), { who: 'x' }).message],
    ['a repository that is missing', explainMissingRepository(ECR, '')[0]],
    ['a push that ECR refuses', explainPushRefusal(ECR, 'the role', 'not authorized')[0]],
    ['a push that GitHub’s registry refuses', explainPushRefusal(GHCR, 'the input github-token', 'denied')[0]],
  ])('%s', (_what, message) => {
    expect(fits(message), message).not.toEqual([]);
  });

  it('a job that may not ask for GitHub’s token', async () => {
    const world = { ...(await openTestWorld()), fetch };
    try {
      const error = await requestOidcToken('x', 'the input aws-role', world).catch((caught: unknown) => caught);
      expect(fits(error instanceof Error ? error.message : ''), String(error)).not.toEqual([]);
    } finally {
      await world.close();
    }
  });
});
