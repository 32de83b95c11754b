import { Problem } from '../problem.ts';
import { describeClaims, type OidcClaims } from './oidc.ts';

/** What was asked of Google, for the words of its failure. */
export interface GoogleAsking {
  /** The identity, as the log names it. */
  readonly who: string;
  readonly provider?: string;
  readonly account?: string | undefined;
  /** Those of the token that was sent. */
  readonly claims?: OidcClaims;
}

/** Why Google gave no token. */
export function googleProblem(error: unknown, { who, provider, account, claims }: GoogleAsking): Problem {
  if (error instanceof Problem) return error;
  const said = (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 400) ?? '';
  const sent = claims === undefined ? '' : `${describeClaims(claims)}. `;
  const problem = (message: string, remedy: string) => new Problem(message, { remedy, cause: error });
  if (/attribute condition/i.test(said)) {
    return problem(
      `Google’s workload identity provider does not take this job: ${said}`,
      `${sent}Let the provider’s attribute condition allow it (docs/guides/google.md).`,
    );
  }
  if (/invalid_target|audience/i.test(said)) {
    return problem(
      `Google does not know the workload identity provider ${provider ?? ''}, or it wants another audience: ${said}`,
      `${sent}Check the input gcp-workload-identity-provider (the project’s number, pool and provider), and that the provider has the default audience.`,
    );
  }
  if (/getAccessToken/.test(said)) {
    return problem(
      `this job may not act as the service account ${account ?? ''}: ${said}`,
      `${sent}Give its principal roles/iam.workloadIdentityUser on that service account (docs/guides/google.md).`,
    );
  }
  if (/issuer|invalid_grant|invalid_request|unauthorized_client/i.test(said)) {
    return problem(
      `Google refused the sign-in of ${who}: ${said}`,
      `${sent}Check issuer, attribute mapping and condition of the workload identity provider (docs/guides/google.md).`,
    );
  }
  return problem(
    `Google gave no token to ${who}: ${said}`,
    'Check those credentials and that this runner can reach Google (firewall, proxy), and run the job again.',
  );
}
