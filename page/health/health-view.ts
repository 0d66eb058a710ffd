import type { HealthAnswer } from '../../sidecar/routes/answers.ts';
import { createAsking } from '../asking.ts';
import { cell, row, rowHeader } from '../cells.ts';
import { byId, el, setText } from '../dom.ts';
import { createRows, type Row } from '../rows.ts';
import type { View } from '../view.ts';
import { age, count, decimal, timeOfDay } from '../words.ts';
import { lossWords } from './loss-words.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/*
 * The view `#/health`: the way of a view from nginx to the index, with the age of each number. It is asked for in all views, as its verdict
 * stands in the head of the page.
 */

const EVERY_MS = 2_000;
const SELDOM_MS = 10_000;

type StageLine = { name: string; total: string; rest: string[] };
type Line = {
  key: string;
  what: string;
  number: string;
  age: string;
  means: string;
  isFine: boolean | undefined;
  state: string;
};

const STAGES: Record<string, string> = {
  captured: 'Captured',
  spooled: 'Spooled',
  forwarded: 'Forwarded',
  indexed: 'Indexed',
};

export function createHealthView(): View {
  const stages = createRows<StageLine>(byId('flow'), ({ name }) => name, createStage);
  const places = createRows<Line>(byId('health-where'), ({ key }) => key, createLine);
  const parts = createRows<Line>(byId('health-parts'), ({ key }) => key, createLine);
  const asking = createAsking<HealthAnswer>({
    everyMs: () => (isShown ? EVERY_MS : SELDOM_MS),
    onAnswer,
    onFailure,
  });
  let isShown = false;
  let answer: HealthAnswer | undefined;
  let failure: string | undefined;
  asking.ask('/api/v1/health');
  return {
    show() {
      isShown = true;
      asking.ask('/api/v1/health');
      render();
    },
    hide() {
      isShown = false;
    },
    hold(isHeld) {
      asking.hold(isHeld);
      render();
    },
    title: () => 'Health',
    update() {},
  };

  function onAnswer(next: HealthAnswer): void {
    answer = next;
    failure = undefined;
    render();
  }

  function onFailure(reason: string): void {
    failure = reason;
    render();
  }

  function render(): void {
    const verdict = failure === undefined ? answer && verdictOf(answer) : undefined;
    setText(
      byId('n-health'),
      verdict === undefined ? (failure === undefined ? '' : '✕ not known') : markOf(verdict),
    );
    byId('health-lead').classList.toggle('wrong', failure !== undefined || verdict?.isFine === false);
    setText(byId('health-lead'), leadOf(verdict));
    byId('health-found').hidden = answer === undefined;
    if (answer === undefined || !isShown) return;
    const was = failure !== undefined;
    setText(
      byId('health-since'),
      `since the sidecar of ${answer.node} started, ${timeOfDay(answer.started, answer.now)}`,
    );
    stages.set(stagesOf(answer));
    places.set(placesOf(answer, was));
    parts.set(partsOf(answer, was));
  }

  function leadOf(verdict: Verdict | undefined): string {
    if (failure !== undefined) {
      const then =
        answer === undefined ? '' : ` What follows is how it was at ${timeOfDay(answer.now, Date.now())}.`;
      return `Not known: ${failure}.${then}`;
    }
    return verdict?.words ?? asking.waiting();
  }
}

function markOf({ isFine, mark }: Verdict): string {
  return isFine ? '✓ fine' : `✕ ${mark}`;
}

function stagesOf({ stages, now }: HealthAnswer): StageLine[] {
  return stages.map(({ name, total, perSecond, lastAt }) => ({
    name: STAGES[name] ?? name,
    total: count(total),
    rest: [
      `${decimal(perSecond)}/s over 10 s`,
      lastAt === undefined ? 'none yet' : `last ${age(now - lastAt)} ago`,
    ],
  }));
}

function placesOf(answer: HealthAnswer, was: boolean): Line[] {
  const { behind, dead, losses, unaccounted, now } = answer;
  const lost = losses.reduce((sum, { views }) => sum + views, 0);
  const fine = was ? 'was fine' : 'fine';
  const lastLoss = Math.max(0, ...losses.map(({ last }) => last));
  const waits = behind.oldestMs !== undefined && behind.oldestMs > 10_000;
  return [
    {
      key: 'behind',
      what: 'On the way (behind)',
      number: count(behind.events),
      age: behind.oldestMs === undefined ? '–' : `the oldest waits for ${age(behind.oldestMs)}`,
      means: 'in the spool on disk; they arrive later',
      isFine: !waits,
      state: waits ? 'behind' : fine,
    },
    {
      key: 'dead',
      what: 'Dead letters',
      number: count(dead.events),
      age: dead.lastAt === undefined ? '–' : `the last ${age(now - dead.lastAt)} ago`,
      means: 'rejected for good, and kept: hotitem dead-letters list',
      isFine: dead.events === 0,
      state: dead.events === 0 ? fine : 'look when there is time',
    },
    {
      key: 'lost',
      what: 'Lost',
      number: count(lost),
      age: lost === 0 ? '–' : `the last ${age(now - lastLoss)} ago`,
      means: lost === 0 ? 'cannot be recovered' : losses.map(({ reason }) => lossWords(reason)).join('; '),
      isFine: lost === 0,
      state: lost === 0 ? (was ? 'was none' : 'none') : 'lost',
    },
    {
      key: 'unaccounted',
      what: 'Nowhere',
      number: count(unaccounted),
      age: '–',
      means: 'would be a defect of hotitem',
      isFine: unaccounted === 0,
      state: unaccounted === 0 ? (was ? 'was none' : 'none') : 'does not balance',
    },
  ];
}

function partsOf({ nginx, parts, newest, streams, now, capture }: HealthAnswer, was: boolean): Line[] {
  const fine = was ? 'was fine' : 'fine';
  const line = (key: string, what: string, isFine: boolean | undefined, rest: Partial<Line> = {}): Line => ({
    key,
    what,
    number: '',
    age: '',
    means: '',
    isFine,
    state: isFine ? fine : 'makes no progress: hotitem status says why',
    ...rest,
  });
  return [
    ...nginx.map(({ started, reportedAt, captured, off }, i) =>
      line(
        `nginx ${started} ${i}`,
        nginx.length > 1 ? `nginx ${i + 1}` : 'nginx',
        !off && capture !== 'off' && now - reportedAt < SILENT_MS,
        {
          number: `${count(captured)} captured`,
          age: `reported ${age(now - reportedAt)} ago`,
          means: `capture ${off ? 'off in nginx.conf' : capture === 'default' ? 'as nginx is configured' : capture}`,
          ...(now - reportedAt >= SILENT_MS && { state: `silent for ${age(now - reportedAt)}` }),
          ...((off || capture === 'off') && { state: 'captures nothing' }),
        },
      ),
    ),
    ...(nginx.length > 0
      ? []
      : [
          line('nginx', 'nginx', undefined, {
            means: 'does not report: it needs http-batch.conf, or has not started',
            state: 'not known',
          }),
        ]),
    ...parts.map(({ name, isReady }) => line(`part ${name}`, PARTS[name] ?? name, isReady)),
    ...(newest === undefined
      ? []
      : [
          line('newest', 'Newest view in the index', true, {
            age: `${age(Math.max(0, newest.askedAt - newest.time))} old when asked, ${age(now - newest.askedAt)} ago`,
          }),
        ]),
    ...(streams === undefined
      ? []
      : [
          line('streams', 'Readers of this page', streams.open < streams.most, {
            number: `${count(streams.open)} of ${count(streams.most)}`,
            ...(streams.open >= streams.most && { state: 'full' }),
          }),
        ]),
  ];
}

/** A running nginx reports every second. */
const SILENT_MS = 30_000;

const PARTS: Record<string, string> = {
  spool: 'Spool on disk',
  intake: 'Socket for nginx',
  'control socket': 'Socket for the owner',
  spill: 'Spill folder',
  forwarder: 'To Kafka',
  sink: 'Into the index',
  decisions: 'Decisions',
  index: 'Index',
};

function createStage(): Row<StageLine> {
  const [what, total] = [el('span', { class: 'what' }), el('b')];
  const lines = [el('span'), el('span')] as const;
  const element = el('li', {}, what, total, ...lines);
  return {
    element,
    update({ name, total: number, rest }) {
      setText(what, name);
      setText(total, number);
      for (const [i, line] of lines.entries()) setText(line, rest[i] ?? '');
    },
  };
}

function signOf(isFine: boolean | undefined): string {
  if (isFine === undefined) return '…';
  return isFine ? '✓' : '✕';
}

function createLine(): Row<Line> {
  const [what, number, means, state] = [el('span'), el('span'), el('span'), el('span')];
  const old = el('span', { class: 'meta' });
  const element = row(rowHeader('', what), cell('n', number, old), cell('', means), cell('', state));
  return {
    element,
    update(line) {
      setText(what, line.what);
      setText(number, line.number);
      setText(old, line.age);
      setText(means, line.means);
      setText(state, `${signOf(line.isFine)} ${line.state}`);
      state.classList.toggle('wrong', line.isFine === false);
    },
  };
}
