type Line = { time: string; msg: string };

const OFTEN_MS = 30_000;

/** What a log says again within half a minute, for a service that says the same once a minute. Slow tests take longer than that. */
export function tooOften(lines: Line[]): Line[] {
  return lines.filter((line, i) =>
    lines
      .slice(0, i)
      .some(
        (before) => before.msg === line.msg && Date.parse(line.time) - Date.parse(before.time) < OFTEN_MS,
      ),
  );
}
