export { openPrefectSocket, type PrefectSocket, type SocketOptions } from './socket.ts';
export { type SocketEnd, SocketEndedError } from './socket-end.ts';
