import { describe, expect, it } from 'vitest';
import { azureProblem } from './azure-failure.ts';
import { googleProblem } from './google-failure.ts';

const CLAIMS = { sub: 'repo:acme/hello:ref:refs/heads/main', aud: 'the-audience', iss: 'https://issuer.example' };
const SENT = 'sub "repo:acme/hello:ref:refs/heads/main", aud "the-audience"';

describe('what Google says', () => {
  const asking = {
    who: 'the pool',
    provider: 'projects/1/x',
    account: 'ci@acme.iam.gserviceaccount.com',
    claims: CLAIMS,
  };

  it.each([
    [
      'Error code unauthorized_client: The given credential is rejected by the attribute condition.',
      'does not take this job',
      'attribute condition',
    ],
    [
      'Error code invalid_target: The target service indicated by the "audience" parameters is invalid.',
      'does not know the workload identity provider projects/1/x',
      'the project’s number',
    ],
    [
      'Error code invalid_grant: The audience in ID Token [x] does not match the expected audience y.',
      'wants another audience',
      'the default audience',
    ],
    [
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
      'may not act as the service account ci@acme',
      'roles/iam.workloadIdentityUser',
    ],
    [
      'Error code invalid_grant: The issuer in ID Token does not match',
      'refused the sign-in of the pool',
      'issuer, attribute mapping',
    ],
  ])('%s comes to what to mend, with the claims', (said, message, remedy) => {
    const problem = googleProblem(new Error(said), asking);
    expect(problem.message).toContain(message);
    expect(problem.remedy).toContain(remedy);
    expect(problem.remedy).toContain(SENT);
  });

  it('is repeated when it is not known', () => {
    const problem = googleProblem(new Error('connect ECONNREFUSED'), { who: 'the key' });
    expect(problem.message).toBe('Google gave no token to the key: connect ECONNREFUSED');
    expect(problem.remedy).not.toContain('GitHub’s token');
  });
});

describe('what Entra says', () => {
  const text = (code: string) =>
    `invalid_client: Error(s): 1 - Timestamp: x - Description: ${code}: Some text. Trace ID: t Correlation ID: c`;

  it.each([
    ['AADSTS70021', 'no federated credential of the application fits this job', 'issuer, subject and audience'],
    ['AADSTS700213', 'no federated credential of the application fits this job', 'issuer, subject and audience'],
    ['AADSTS700212', 'no federated credential of the application fits this job', 'issuer, subject and audience'],
    ['AADSTS700016', 'the application is not in that tenant', 'azure-client-id and azure-tenant-id'],
    ['AADSTS90002', 'there is no such tenant', 'azure-tenant-id'],
    ['AADSTS7000215', 'the client secret is wrong', 'Renew it'],
    ['AADSTS500011', 'the tenant does not know Azure’s container registries', 'Microsoft.ContainerRegistry'],
  ])('%s comes to what to mend, with the claims', (code, message, remedy) => {
    const problem = azureProblem(new Error(text(code)), { who: 'the application', claims: CLAIMS });
    expect(problem.message).toContain(`Azure gave no token to the application: ${message}`);
    expect(problem.message).toContain(`(${code})`);
    expect(problem.remedy).toContain(remedy);
    expect(problem.remedy).toContain(SENT);
  });

  it('is repeated without its trace when it is not known', () => {
    const problem = azureProblem(new Error(text('AADSTS99999')), { who: 'the application' });
    expect(problem.message).toBe('Azure gave no token to the application: AADSTS99999: Some text.');
  });
});
