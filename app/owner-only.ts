/** What to do where the kernel lets this user not open the control socket. */
export const OWNER_ONLY: string =
  'Run it as root or as the user of the sidecar: only they can use control.socket.';
