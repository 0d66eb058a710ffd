/** The hint if the kernel denies this user the control socket. */
export const OWNER_ONLY: string =
  'Run it as root or as the user of the sidecar: only they can use control.socket.';
