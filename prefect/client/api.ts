import createClient, { type Client } from 'openapi-fetch';
import * as z from 'zod';
import { isJsonObject, type JsonObject, parseJson, SpelledNumber } from '../json.ts';
import type { PrefectSettings } from '../settings/index.ts';
import { PrefectAnswerError, PrefectApiError } from './errors.ts';
import type { paths } from './openapi.ts';
import { PlainRequest } from './plain-messages.ts';
import { openTransport, type Transport, type TransportWorld } from './transport.ts';

/** An open connection to one Prefect API; every function of this package takes it first. */
export interface PrefectApi {
  readonly settings: PrefectSettings;
  /** Typed by the server's own document; call it with `parseAs: 'text'` and read the answer with `answerOf`. */
  readonly client: Client<paths>;
  /** What `client` sends by; a call that must not be repeated unseen gives it as its own `fetch`, with no retries. */
  readonly send: Transport['send'];
  /** Requests sent so far, retries included. */
  readonly requests: number;
  close(): Promise<void>;
}

/**
 * Opens a connection pool to the API that the settings name. The caller closes it.
 *
 * @throws SettingsError when the CA file cannot be read.
 */
export function openPrefectApi(settings: PrefectSettings, world: TransportWorld): PrefectApi {
  const transport = openTransport(settings, world);
  return {
    settings,
    client: createClient<paths>({
      baseUrl: settings.apiUrl,
      Request: PlainRequest,
      fetch: (input) => transport.send(input),
    }),
    send: transport.send,
    get requests() {
      return transport.requests;
    },
    close: () => transport.close(),
  };
}

/**
 * Reads an answer's text as JSON, numbers spelled as they came, and checks the fields we use.
 *
 * @throws PrefectAnswerError when it is not JSON or lacks a field: usually not a Prefect API at all.
 */
export function answerOf<Schema extends z.ZodType>(
  schema: Schema,
  answer: { readonly data?: unknown; readonly response: Response },
  what: string,
): z.infer<Schema> {
  let json: unknown;
  try {
    json = parseJson(String(answer.data ?? ''));
  } catch (cause) {
    throw new PrefectAnswerError(
      `the answer to "${what}" is not JSON: is PREFECT_API_URL the address of a Prefect API?`,
      { cause },
    );
  }
  const checked = schema.safeParse(json);
  if (checked.success) return checked.data;
  throw new PrefectAnswerError(`the answer to "${what}" has an unknown form: ${z.prettifyError(checked.error)}`);
}

/** The result of a read, or undefined when the server says that there is no such thing. */
export async function unlessMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof PrefectApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** A number that we calculate with, however it is spelled (`0.0`). */
export const number = z.union([z.number(), z.instanceof(SpelledNumber)]).transform((value) => value.valueOf());

/** A JSON mapping whose values are kept as they came. */
export const jsonObject = z.custom<JsonObject>((value) => isJsonObject(value), 'a mapping is expected');

/** Largest page the server gives (contracts/deploy.md §7.4). */
export const PAGE_SIZE = 200;

/**
 * Reads a list that the server gives in pages of at most 200.
 *
 * @param page reads one page: `limit` and `offset` go into the request's body.
 */
export async function readPages<T>(page: (limit: number, offset: number) => Promise<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for (;;) {
    const items = await page(PAGE_SIZE, all.length);
    all.push(...items);
    if (items.length < PAGE_SIZE) return all;
  }
}
