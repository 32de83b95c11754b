import { codeOf } from '@slipway/prefect/client';
import * as z from 'zod';
import type { OpenAnswer } from '../k8s/connection.ts';

/** One event of a watch, with the version to continue from. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: unknown;
  readonly resourceVersion: string;
}

/** How a watch ended. */
export interface WatchEnd {
  /**
   * ended: as it should; expired: everything has to be listed again; malformed: a line that is no event; forbidden: not
   * permitted; failed: everything else.
   */
  readonly kind: 'ended' | 'expired' | 'malformed' | 'forbidden' | 'failed';
  readonly detail: string;
  /** What the server asked for, 0 when nothing. */
  readonly retryAfterMs: number;
}

const Line = z.discriminatedUnion('type', [
  z.object({
    type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']),
    object: z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string() }) }),
  }),
  z.object({
    type: z.literal('ERROR'),
    object: z.looseObject({
      code: z.number().optional(),
      reason: z.string().optional(),
      message: z.string().optional(),
      details: z.looseObject({ retryAfterSeconds: z.number().optional() }).optional(),
    }),
  }),
]);

/**
 * Reads a watch to its end: one JSON event a line (Kubernetes API concepts, "Efficient detection of changes").
 *
 * @param onEvent told of each event in order.
 * @param idleMs the watch is taken for dead when nothing comes for this long.
 * @returns how it ended; rejects only with what onEvent throws, or with the signal's reason.
 */
export async function readWatch(
  answer: OpenAnswer,
  onEvent: (event: WatchEvent) => void,
  idleMs: number,
  signal: AbortSignal,
): Promise<WatchEnd> {
  let silent = false;
  const idle = setTimeout(() => {
    silent = true;
    answer.end();
  }, idleMs);
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of answer.body) {
      idle.refresh();
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const end = line.trim() === '' ? undefined : take(line);
        if (end !== undefined) return end;
      }
    }
    const cut = rest.trim() !== '';
    return cut ? failed('malformed', 'the watch ended inside a line') : failed('ended', 'the server ended the watch');
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof HandlerError) throw error.cause;
    return failed(
      'failed',
      silent ? `silent for ${idleMs / 1000} s` : `broken off (${codeOf(error) ?? String(error)})`,
    );
  } finally {
    clearTimeout(idle);
    answer.end();
  }

  function take(line: string): WatchEnd | undefined {
    const event = readLine(line);
    if (event === undefined) return failed('malformed', 'a line that is no event');
    if (event.type !== 'ERROR') {
      try {
        onEvent({ ...event, resourceVersion: event.object.metadata.resourceVersion });
      } catch (cause) {
        throw new HandlerError('the handler of an event failed', { cause });
      }
      return undefined;
    }
    const { code, reason, message, details } = event.object;
    const kind = code === 410 || reason === 'Expired' || reason === 'Gone' ? 'expired' : 'failed';
    return { kind, detail: message ?? reason ?? '', retryAfterMs: 1000 * (details?.retryAfterSeconds ?? 0) };
  }
}

/** Tells what our own handler threw from what the connection threw. */
class HandlerError extends Error {}

function readLine(line: string): z.infer<typeof Line> | undefined {
  try {
    return Line.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function failed(kind: WatchEnd['kind'], detail: string): WatchEnd {
  return { kind, detail, retryAfterMs: 0 };
}
