import type { SettingsFile } from '../../service/config/read-rights.ts';
import { type Finding, shellWord } from '../../service/finding.ts';

const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;
const ROOT = 0;

/** What other users of the host can do with the files of the configuration; `uid` is the user who runs this. */
export function fileFindings(files: SettingsFile[], uid: number): Finding[] {
  return files.flatMap((file) => {
    const { path, mode = 0 } = file;
    const findings: Finding[] = [];
    if (file.secret && (mode & OTHERS_READ) !== 0) {
      findings.push({
        id: 'file-readable',
        severity: 'error',
        what: `${path} contains a secret and can be read by every user of this host (${octal(mode)})`,
        why: "anyone who reads it has hotitem's permissions in Kafka and Elasticsearch, or can find hashed addresses",
        fix: 'make the file private, and change the secret if others use this host',
        command: `chmod o= ${shellWord(path)}`,
      });
    }
    if ((mode & OTHERS_WRITE) !== 0) {
      findings.push({
        id: 'file-writable',
        severity: 'error',
        what: `${path} can be changed by every user of this host (${octal(mode)})`,
        why: 'anyone who changes it decides where events and logins are sent',
        fix: 'make the file private, and check its content',
        command: `chmod o= ${shellWord(path)}`,
      });
    }
    if (file.mode !== undefined && file.uid !== ROOT && file.uid !== uid) {
      findings.push({
        id: 'file-owner',
        severity: 'error',
        what: `${path} belongs to the user ${file.uid}, who is neither root nor the user who runs this (${uid})`,
        why: 'its owner decides where events and logins are sent',
        fix: 'chown it to root, or run this as its owner',
        command: `chown root ${shellWord(path)}`,
      });
    }
    return findings;
  });
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
