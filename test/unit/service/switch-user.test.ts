import { afterEach, expect, jest, test } from '@jest/globals';
import { switchUser } from '../../../service/switch-user.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

// As the Node of Debian trixie does, which these tests need not run with.
test('if Node refuses to switch users, it keeps its user, and says how to start it as the other one', () => {
  jest.spyOn(process, 'setgroups').mockImplementation(() => {
    throw new Error('setgroups() disabled: io_uring may be enabled. See CVE-2024-22017.');
  });
  const [setgid, setuid] = [jest.spyOn(process, 'setgid'), jest.spyOn(process, 'setuid')];
  const attempt = () => switchUser({ uid: 997, gid: 996, groups: [996, 33] }, 'hotitem doctor');
  expect(attempt).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/refuses to switch to another user .*io_uring/),
      hint: 'setpriv --reuid=997 --regid=996 --groups=996,33 hotitem doctor',
    }),
  );
  expect(setgid).not.toHaveBeenCalled();
  expect(setuid).not.toHaveBeenCalled();
});
