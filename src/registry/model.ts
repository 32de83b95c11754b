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

/** Where credentials may come from; the first source that knows the host is used. */
export interface CredentialSource {
  /** For the log when none was found. */
  readonly name: string;
  find(host: string, signal: AbortSignal): Promise<Credentials | undefined>;
}

/** A user name and password that a person gave, in an input or in a push step. */
export interface GivenCredentials {
  readonly username: string;
  readonly password: string;
  /** The registry they are for, as written (`ghcr.io`, `https://index.docker.io/v1/`); absent: the first one pushed to. */
  readonly registry?: string | undefined;
}
