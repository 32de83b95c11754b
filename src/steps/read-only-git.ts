/** What a command may not be given even though its name is harmless: it writes a file or runs a program. */
const FORBIDDEN = /^--(?:ou|ext-|textc|exec|upload)/;

const READERS = ['rev-parse', 'describe', 'log', 'show', 'status'];

/**
 * True for a command that may run in plan mode, where the files of a pull request are not to be trusted: git's own
 * readers (issue: "Plan mode"), with no option that writes a file or starts a program. `--output=FILE` of log and show
 * writes; abbreviated options count as the option.
 *
 * @param words the command line, cut into words.
 */
export function isReadOnlyGit(words: readonly string[]): boolean {
  const [program, command = '', ...rest] = words;
  if (program !== 'git' || rest.some((word) => FORBIDDEN.test(word))) return false;
  if (command === 'branch') return rest.length === 1 && rest[0] === '--show-current';
  return READERS.includes(command);
}

const SETTINGS: readonly (readonly [string, string])[] = [
  ['safe.bareRepository', 'explicit'],
  ['core.fsmonitor', 'false'],
];

/**
 * The environment git is run with in plan mode: no lock files, no pager, no monitor from configuration, and no
 * repository that hides in a plain directory of the work tree, whose configuration could name programs to run.
 */
export function planGitEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  // Settings in the environment are numbered; those that are there already stay.
  const first = Number.parseInt(env.GIT_CONFIG_COUNT ?? '0', 10) || 0;
  const settings = SETTINGS.flatMap(([name, value], index) => [
    [`GIT_CONFIG_KEY_${first + index}`, name],
    [`GIT_CONFIG_VALUE_${first + index}`, value],
  ]);
  return {
    ...env,
    GIT_OPTIONAL_LOCKS: '0',
    GIT_PAGER: 'cat',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: String(first + SETTINGS.length),
    ...Object.fromEntries(settings),
  };
}
