/** Something in the command line or the environment that a person has to change before the worker can start. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** What to do about it. */
  readonly remedy: string;

  /** @param message what is wrong, in one sentence that names the flag or variable and never a secret. */
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}
