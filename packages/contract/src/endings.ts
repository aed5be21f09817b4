/** Every reason for which the server closes a socket, with the code that goes with it. */
export const socketEndings = {
  text_only: 1003,
  invalid_connection_params: 1008,
  message_too_large: 1009,
  failed: 1011,
  terminated: 1011,
  restarting: 1012,
  unavailable: 1013,
  session_ended: 4401,
  rights_changed: 4403,
  authentication_timeout: 4408,
} as const;

export type SocketEnding = keyof typeof socketEndings;
