import { withGitSettings } from './git-settings.ts';

/** Options that only choose what is printed, and how; a value may stand in the next word, where any plain word is fine. */
const DATES = 'since|until|after|before';
const OPTIONS: Readonly<Record<string, RegExp>> = {
  'rev-parse':
    /^(?:-q|--(?:short(?:=\d+)?|abbrev-ref(?:=strict|=loose)?|verify|quiet|symbolic|symbolic-full-name|show-toplevel|show-prefix|show-cdup|git-dir|absolute-git-dir|git-common-dir|is-inside-work-tree|is-inside-git-dir|is-bare-repository|is-shallow-repository|show-object-format|all|branches|tags|remotes))$/,
  describe:
    /^--(?:tags|all|always|long|dirty(?:=.*)?|abbrev=\d+|(?:match|exclude)(?:=.*)?|exact-match|first-parent|contains|candidates=\d+)$/,
  log: new RegExp(
    `^(?:-\\d+|-n\\d*|-[1sizpEFP]|--(?:(?:max-count|skip|format|pretty|abbrev|date|author|committer|grep|diff-filter|decorate|color|encoding|${DATES})(?:=.*)?|oneline|abbrev-commit|no-abbrev-commit|date-order|topo-order|author-date-order|reverse|merges|no-merges|first-parent|all|branches|tags|remotes|follow|patch|no-patch|name-only|name-status|stat|shortstat|numstat|summary|no-decorate|no-color|left-right|cherry-pick|no-walk|graph|simplify-by-decoration|quiet|full-history|invert-grep))$`,
  ),
  status:
    /^(?:-[sbz]|-u(?:no|normal|all)?|--(?:short|branch|long|porcelain(?:=v?[12])?|ignored(?:=.*)?|untracked-files(?:=.*)?|ignore-submodules(?:=.*)?|ahead-behind|no-ahead-behind|no-renames))$/,
};

/** Programs that log and show would start for a file or a commit when the configuration names them. */
const NO_PROGRAMS = ['--no-ext-diff', '--no-textconv', '--no-show-signature'];

/**
 * A command as it may run in plan mode, where the files of a pull request are not to be trusted: one of git's own readers
 * (rev-parse, describe, log, show, status, branch --show-current), with options that are known only to print. All others
 * are refused, as an option may write a file (`--output`), start a program (`--ext-diff`, `--help`) or be the
 * abbreviation of one that does. Formats that check signatures (`%G?`) start a program too.
 *
 * @param words the command line, cut into words.
 * @returns the command line to run, or undefined when it may not run.
 */
export function readOnlyGit(words: readonly string[]): [string, ...string[]] | undefined {
  const [program, command = '', ...rest] = words;
  if (program !== 'git') return undefined;
  if (command === 'branch') return rest.join(' ') === '--show-current' ? [program, command, ...rest] : undefined;
  const reads = command === 'show' || command === 'log';
  const known = OPTIONS[reads ? 'log' : command];
  if (known === undefined || !Object.hasOwn(OPTIONS, reads ? 'log' : command)) return undefined;
  // What follows a lone `--` are paths.
  const end = rest.indexOf('--');
  const options = (end === -1 ? rest : rest.slice(0, end)).filter((word) => word.startsWith('-'));
  if (!options.every((option) => known.test(option)) || rest.some((word) => word.includes('%G'))) return undefined;
  return [program, command, ...(reads ? NO_PROGRAMS : []), ...rest];
}

const SETTINGS: readonly (readonly [string, string])[] = [
  ['safe.bareRepository', 'explicit'],
  ['core.fsmonitor', 'false'],
  // `describe --dirty` refreshes the index, after which a hook runs; hooks may lie in the work tree (husky's do).
  ['core.hooksPath', '/dev/null'],
];

/**
 * The environment git is run with in plan mode: no lock files, no pager, no hooks, no monitor from configuration, and no
 * repository that hides in a plain directory of the work tree, whose configuration could name programs to run.
 */
export function planGitEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  return withGitSettings({ ...env, GIT_OPTIONAL_LOCKS: '0', GIT_PAGER: 'cat', GIT_TERMINAL_PROMPT: '0' }, SETTINGS);
}
