import { randomBytes } from 'node:crypto';

/** Every secret that the clouds have handed out, so that a test can look for each in what was written. */
export interface Minted {
  /** A new secret that begins as the real ones do. */
  make(prefix: string): string;
  /** Notes one that was made elsewhere and returns it. */
  note(secret: string): string;
  all(): readonly string[];
}

export function openMinted(): Minted {
  const secrets = new Set<string>();
  const note = (secret: string): string => {
    secrets.add(secret);
    return secret;
  };
  return {
    make: (prefix) => note(`${prefix}${randomBytes(24).toString('base64url')}`),
    note,
    all: () => [...secrets],
  };
}
