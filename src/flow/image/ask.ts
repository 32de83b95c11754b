import { type JsonObject, parseJson } from '@slipway/prefect/json';
import * as z from 'zod';
import { dockerEnvironment } from '../../docker-environment.ts';
import { ExecTimeout, type World } from '../../world.ts';
import { fetchImage, runPython, type SignIn } from './container.ts';
import type { Answer, Question } from './model.ts';
import { PROGRAM } from './program.ts';

/** For all flows of one image together; an import of the larger data libraries takes some seconds. */
const SECONDS = 180;

export interface AskOptions {
  readonly world: Pick<World, 'env' | 'exec' | 'log' | 'random' | 'signal'>;
  readonly cwd: string;
  readonly signIn: SignIn;
  readonly seconds?: number;
}

/**
 * Asks Prefect itself, in the flows' own images, what it would register for them: one container an image, one process
 * a directory. The containers have no network, no secret and nothing of this machine.
 *
 * @returns an answer for each question, in order. Rejects only when the job is cancelled.
 */
export async function askImages(questions: readonly Question[], options: AskOptions): Promise<Answer[]> {
  const answers = new Map<Question, Answer>();
  for (const [image, asked] of Map.groupBy(questions, (one) => one.image)) {
    const said = await options.world.log.group(`Parameter schemas from ${image}`, () =>
      askImage(image, asked, options),
    );
    for (const [question, answer] of said) answers.set(question, answer);
  }
  return questions.map((one) => answers.get(one) ?? unanswered(SECONDS));
}

async function askImage(
  image: string,
  questions: readonly Question[],
  options: AskOptions,
): Promise<Map<Question, Answer>> {
  const { world, cwd, seconds = SECONDS } = options;
  const all = (answer: Answer) => new Map(questions.map((one) => [one, answer]));
  const word = `slipway-${token(world.random)}:`;
  const name = `slipway-schema-${token(world.random)}`;
  const groups = [...Map.groupBy(questions, (one) => JSON.stringify(one.directories)).values()];
  const stdin = JSON.stringify(
    groups.map((group) => ({
      directories: group[0]?.directories ?? [],
      entrypoints: [...new Set(group.map((one) => one.entrypoint))],
    })),
  );
  try {
    const container = { exec: world.exec, env: dockerEnvironment(world.env), cwd, signal: world.signal, name };
    const isOurs = questions.every((one) => one.isOurs);
    const missing = await fetchImage(image, isOurs, options.signIn, container);
    if (missing !== undefined) return all({ ...missing, kind: 'not asked' });
    const program = { text: PROGRAM, arguments: [word, String(seconds)], stdin, seconds };
    const ran = await runPython(image, program, container);
    if (ran.kind === 'cannot') return all({ ...ran, kind: 'not asked' });
    if (ran.stderr !== '') world.log.debug(ran.stderr.slice(-4000));
    const lines = readLines(ran.stdout, word);
    if (lines.length === 0) return all(notBegun(image, ran.exitCode, ran.stderr));
    const late = ran.exitCode === LATE ? tooLate(seconds) : unanswered(ran.exitCode);
    return new Map(groups.flatMap((group, index) => group.map((one) => [one, answerTo(one, index, lines) ?? late])));
  } catch (error) {
    if (error instanceof ExecTimeout) return all(tooLate(seconds));
    throw error;
  }
}

/** The exit code of the program's own deadline, as of coreutils' timeout. */
const LATE = 124;

function tooLate(seconds: number): Answer {
  const reason = `the flow was not loaded within ${seconds} s`;
  return {
    kind: 'not asked',
    reason,
    remedy: 'Take what waits (for a network, for input) out of the module’s top level.',
  };
}

function notBegun(image: string, exitCode: number, stderr: string): Answer {
  const said = stderr.trim().split('\n').at(-1) || `exit code ${exitCode}`;
  const remedy = 'Let the image’s ENTRYPOINT run the command it is given (`exec "$@"`), as its flow runs need too.';
  return { kind: 'not asked', reason: `the image ${image} did not run Python: ${said}`, remedy };
}

function unanswered(exitCode: number): Answer {
  const error = `Python ended (exit code ${exitCode}) before the flow was loaded`;
  return { kind: 'not loaded', error, place: undefined };
}

const Said = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('begun') }),
  z.object({ kind: z.literal('no prefect'), error: z.string() }),
  z.object({ kind: z.literal('no directory'), group: z.number(), error: z.string() }),
  z.object({
    kind: z.literal('flow'),
    group: z.number(),
    entrypoint: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    version: z.string().nullable(),
    schema: z.custom<JsonObject>((value) => typeof value === 'object' && value !== null),
  }),
  z.object({
    kind: z.literal('not loaded'),
    group: z.number(),
    entrypoint: z.string(),
    error: z.string(),
    place: z.object({ file: z.string(), line: z.number() }).nullable(),
  }),
]);
type Said = z.infer<typeof Said>;

/** Our own lines: whatever else stands in the output is the image's. */
function readLines(stdout: string, word: string): Said[] {
  return stdout.split('\n').flatMap((line) => {
    const at = line.indexOf(word);
    return at === -1 ? [] : [Said.parse(parseJson(line.slice(at + word.length)))];
  });
}

function answerTo(question: Question, group: number, lines: readonly Said[]): Answer | undefined {
  for (const said of lines) {
    if (said.kind === 'no prefect') {
      const remedy = 'Install Prefect 3 in the image; the flow’s runs need it too.';
      return { kind: 'not asked', reason: `the image’s Python cannot import Prefect 3: ${said.error}`, remedy };
    }
    if (said.kind === 'begun' || said.group !== group) continue;
    if (said.kind === 'no directory') {
      const remedy = 'Let the pull step set_working_directory name the directory that the image holds the code in.';
      return { kind: 'not asked', reason: `the code’s directory is not in the image: ${said.error}`, remedy };
    }
    if (said.entrypoint !== question.entrypoint) continue;
    if (said.kind === 'not loaded') return { kind: 'not loaded', error: said.error, place: said.place ?? undefined };
    const { name, description, version, schema } = said;
    return { kind: 'flow', name, description: description ?? undefined, version: version ?? undefined, schema };
  }
  return undefined;
}

function token(random: () => number): string {
  return Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 16)
      .toString(16)
      .padStart(4, '0'),
  ).join('');
}
