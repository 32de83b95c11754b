import type { Repository } from './repository.ts';

/** A sign-in for one registry host. Its secret is masked in the log before its first use. */
export type Credentials =
  | {
      readonly kind: 'basic';
      readonly username: string;
      readonly password: string;
      /** Where it comes from, for the log: "the inputs registry-username and registry-password". */
      readonly source: string;
    }
  /** A refresh token, as Docker keeps it under `identitytoken` (Azure's registries). */
  | { readonly kind: 'identity-token'; readonly token: string; readonly source: string };

/** The user beside a refresh token, which stands for itself (Azure's guide on authentication; Docker wants one). */
export const NO_USER = '00000000-0000-0000-0000-000000000000';

/** Where credentials may come from; the first source that serves the host is used (sign-in.ts). */
export interface CredentialSource {
  /** For the log: "the role arn:aws:iam::… (aws-role)". */
  readonly name: string;
  /**
   * `asked`: a person named it, so that its failure ends the search, lest another identity than theirs is used without
   * a word. `surroundings`: it was found where the job runs; when it fails, the next one is tried.
   */
  readonly origin: 'asked' | 'surroundings';
  /**
   * Credentials that are good now, minted anew at each call; undefined when this source has nothing for the host.
   *
   * @throws Problem, with what the host's owner said.
   */
  find(host: string, signal: AbortSignal): Promise<Credentials | undefined>;
  /**
   * Creates the repository when it is missing, with the identity of the last `find`; an existing one is never touched.
   *
   * @throws Problem.
   */
  ensureRepository?(repository: Repository, signal: AbortSignal): Promise<'created' | 'exists'>;
}

/** A user name and password that a person gave, in an input or in a push step. */
export interface GivenCredentials {
  readonly username: string;
  readonly password: string;
  /** The registry they are for, as written (`ghcr.io`, `https://index.docker.io/v1/`); absent: the first one pushed to. */
  readonly registry?: string | undefined;
}
