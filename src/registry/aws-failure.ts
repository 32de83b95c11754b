import { Problem } from '../problem.ts';
import type { AwsIdentity } from './aws.ts';
import { describeClaims, type OidcClaims } from './oidc.ts';

/** Why a role could not be assumed, with the claims that its trust policy saw. */
export function roleProblem(role: string, claims: OidcClaims, error: unknown): Problem {
  const said = wordsOf(error);
  const name = error instanceof Error ? error.name : '';
  const problem = (message: string, remedy: string) => new Problem(message, { remedy, cause: error });
  if (/no openidconnect provider found/i.test(said)) {
    return problem(
      `AWS does not know GitHub as an identity provider in the account of ${role}`,
      `Create the IAM identity provider ${claims.iss ?? 'https://token.actions.githubusercontent.com'} with the audience ${claims.aud ?? 'sts.amazonaws.com'} there (docs/guides/aws.md).`,
    );
  }
  if (isWrongAudience(error)) {
    return problem(
      `AWS’s identity provider for GitHub does not take this audience: ${said}`,
      `Add the audience to the IAM identity provider. ${describeClaims(claims)}.`,
    );
  }
  if (name === 'AccessDenied' || name === 'AccessDeniedException') {
    return problem(
      `AWS does not let this job assume ${role}: its trust policy does not fit the token`,
      `Let the role’s trust policy allow sts:AssumeRoleWithWebIdentity for what was sent: ${describeClaims(claims)}. Repositories made since July 2026 have numbers in sub (docs/guides/aws.md).`,
    );
  }
  if (/^(?:InvalidIdentityToken|ExpiredToken|IDP)/.test(name)) {
    return problem(
      `AWS refused GitHub’s token: ${said}`,
      `${describeClaims(claims)}. Check the IAM identity provider.`,
    );
  }
  return problem(
    `the role ${role} could not be assumed: ${said}`,
    'Check the ARN in aws-role and that this runner can reach AWS (firewall, proxy), and run the job again.',
  );
}

/** AWS's identity provider for GitHub is registered for another audience than that of the token. */
export function isWrongAudience(error: unknown): boolean {
  return /audience/i.test(wordsOf(error));
}

/** What AWS or the way to it said, one line; its errors hold no secret. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const [line = ''] = error.message.split('\n');
  return (line === '' ? code : line).slice(0, 400);
}

/** The IAM action that AWS says is missing: `ecr:GetAuthorizationToken`; undefined when it names none. */
export function missingAction(said: string): string | undefined {
  return /not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)/.exec(said)?.[1];
}

/** The remedy for an action that is missing. */
export function permissionRemedy(action: string, who: string): string {
  return `Allow ${action} in the IAM policy of ${who} (docs/guides/aws.md has the whole policy).`;
}

export function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

export function isDenied(error: unknown): boolean {
  return isNamed(error, 'AccessDeniedException') || isNamed(error, 'AccessDenied');
}

/** Why ECR said no to an identity. @param service `ecr` or `ecr-public`. */
export function awsProblem(
  service: 'ecr' | 'ecr-public',
  what: string,
  identity: AwsIdentity,
  error: unknown,
): Problem {
  if (error instanceof Problem) return error;
  const said = wordsOf(error);
  const action = missingAction(said) ?? (isDenied(error) ? `${service}:GetAuthorizationToken` : undefined);
  const problem = (remedy: string) => new Problem(`${what} to ${identity.source}: ${said}`, { remedy, cause: error });
  if (action !== undefined) return problem(permissionRemedy(action, identity.source));
  if (
    /^(?:UnrecognizedClient|InvalidSignature|ExpiredToken|InvalidClientTokenId|IncompleteSignature)/.test(
      error instanceof Error ? error.name : '',
    )
  )
    return problem(
      'Those AWS credentials are wrong or have expired: renew or remove them, or give the input aws-role.',
    );
  return problem(
    'Check that this runner can reach AWS (firewall, proxy), look at AWS’s status page, and run the job again.',
  );
}
