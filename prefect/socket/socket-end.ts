/** How a WebSocket ended, or why it did not come about. */
export type SocketEnd =
  /** The upgrade was answered with another status than 101, by the API or by a proxy before it. */
  | { readonly kind: 'refused'; readonly status: number }
  /** The answer to our credentials was not that they are good; `reason` is the server's own word, if it gave one. */
  | { readonly kind: 'denied'; readonly reason: string }
  /** The server closed it; code and reason as it sent them. */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /**
   * No connection, or one that broke or fell silent without a close; `code` is Node's,
   * or TIMEOUT while it was opened, or PING_TIMEOUT later.
   */
  | { readonly kind: 'lost'; readonly code: string };

/** Nothing more comes over this socket. The message names no secret. */
export class SocketEndedError extends Error {
  override readonly name = 'SocketEndedError';
  readonly end: SocketEnd;

  /** @param path below the API's URL. */
  constructor(path: string, end: SocketEnd, cause?: unknown) {
    super(`the WebSocket ${path} ${inWords(end)}`, { cause });
    this.end = end;
  }
}

function inWords(end: SocketEnd): string {
  switch (end.kind) {
    case 'refused':
      return `was refused with status ${end.status}`;
    case 'denied':
      return `did not take the credentials${end.reason === '' ? '' : `: ${end.reason}`}`;
    case 'closed':
      return `was closed by the server with code ${end.code}${end.reason === '' ? '' : `: ${end.reason}`}`;
    case 'lost':
      return `was lost (${end.code})`;
  }
}
