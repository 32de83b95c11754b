import { missingAction } from './aws-failure.ts';
import { readRegistryHost } from './registry-host.ts';
import type { Repository } from './repository.ts';

/** Message and remedy. */
export type Explanation = readonly [message: string, remedy: string];

/**
 * Why a registry does not let somebody push, by the words of each (rig-action.md §G; anchors/action.md §2). The same for
 * our own question before the build and for a push that failed.
 *
 * @param who credentials as the log names them; undefined when they are not known here.
 * @param said the registry's words; may be empty.
 */
export function explainPushRefusal({ host, path }: Repository, who: string | undefined, said: string): Explanation {
  const words = said === '' ? '' : `: ${said}`;
  const message = `registry ${host} does not let ${path} be pushed${who === undefined ? '' : ` with ${who}`}${words}`;
  const { kind } = readRegistryHost(host);
  if (/authorization token (?:has expired|is invalid)/i.test(said)) {
    return [
      `the sign-in to ${host} has expired or is not the registry’s: ${said}`,
      'Run the job again; the layers are cached.',
    ];
  }
  switch (kind) {
    case 'ecr':
    case 'ecr-public': {
      const action = missingAction(said) ?? `${kind}:InitiateLayerUpload`;
      return [
        message,
        `Allow ${action} on this repository in the IAM policy of the identity that pushes (docs/guides/aws.md has the whole policy).`,
      ];
    }
    case 'gar':
    case 'gcr': {
      const permission =
        /artifactregistry\.[a-zA-Z.]+/.exec(said)?.[0] ?? 'artifactregistry.repositories.uploadArtifacts';
      return [
        message,
        `Give the identity that pushes ${permission} on the repository (roles/artifactregistry.writer has it; docs/guides/google.md). Google says the same of a repository that does not exist: create it, or write \`create-repository: true\`.`,
      ];
    }
    case 'acr':
      return [message, `Give the identity that pushes the role AcrPush on the registry (docs/guides/azure.md).`];
    case 'ghcr':
      return [
        message,
        'Give the job `permissions:` with `packages: write`. A package that another repository or a person made first needs this repository under Package settings → Manage Actions access, with the role Write (docs/guides/ghcr.md).',
      ];
    case 'dockerhub':
      return [
        message,
        'Use an access token with write permission, of an account that may write to this repository (docs/guides/dockerhub.md).',
      ];
    case 'generic':
      return [message, `Check that the user or token may write to ${path}, and that it exists. ${signInRemedy(host)}`];
  }
}

/** What to do about a repository that does not exist. */
export function explainMissingRepository({ host, path }: Repository, said: string): Explanation {
  const words = said === '' ? '' : `: ${said}`;
  const message = `the repository ${path} does not exist on ${host}${words}`;
  switch (readRegistryHost(host).kind) {
    case 'ecr':
    case 'ecr-public':
    case 'gar':
    case 'gcr':
      return [
        message,
        'Write `create-repository: true`, or create it beforehand: this registry does not create repositories on push.',
      ];
    default:
      return [message, 'Create it, or the project it belongs to, before this step.'];
  }
}

/** How one signs in to a host, for a remedy. */
export function signInRemedy(host: string): string {
  switch (readRegistryHost(host).kind) {
    case 'ghcr':
      return 'For GitHub’s registry give the job `permissions:` with `packages: write`; its own token is used (the input github-token).';
    case 'dockerhub':
      return 'For Docker Hub give registry-username and, as registry-password, an access token with write permission.';
    case 'ecr':
    case 'ecr-public':
      return 'For ECR give the input aws-role and the job `permissions:` with `id-token: write` (docs/guides/aws.md), or use aws-actions/configure-aws-credentials before this step.';
    case 'gar':
    case 'gcr':
      return 'For Artifact Registry give the input gcp-workload-identity-provider and the job `permissions:` with `id-token: write` (docs/guides/google.md), or use google-github-actions/auth before this step.';
    case 'acr':
      return 'For ACR give azure-client-id and azure-tenant-id and the job `permissions:` with `id-token: write` (docs/guides/azure.md), or use azure/login before this step.';
    case 'generic':
      return 'Give registry-username and registry-password, or sign in with `docker login` before this step.';
  }
}
