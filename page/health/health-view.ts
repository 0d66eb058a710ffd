import type { HealthAnswer } from '../../sidecar/routes/answers.ts';
import { createAsking } from '../asking.ts';
import { cell, row, rowHeader } from '../cells.ts';
import { byId, el, setText } from '../dom.ts';
import { createRows, type Row } from '../rows.ts';
import type { Moment, View } from '../view.ts';
import { timeOfDay } from '../words.ts';
import { type Line, partsOf, placesOf, type StageLine, stagesOf } from './health-lines.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/*
 * The view `#/health`: the way of a view from nginx to the index, with the age of each number. It is asked for in all views, as its verdict
 * stands in the head of the page.
 */

const EVERY_MS = 2_000;
const SELDOM_MS = 10_000;
/** It is answered from memory: a sidecar that takes longer hangs. */
const PATIENCE_MS = 5_000;

export function createHealthView(): View {
  const stages = createRows<StageLine>(byId('flow'), ({ name }) => name, createStage);
  const places = createRows<Line>(byId('health-where'), ({ key }) => key, createLine);
  const parts = createRows<Line>(byId('health-parts'), ({ key }) => key, createLine);
  const asking = createAsking<HealthAnswer>({
    everyMs: () => (isShown ? EVERY_MS : SELDOM_MS),
    patienceMs: PATIENCE_MS,
    onAnswer,
    onFailure,
  });
  let isShown = false;
  let answer: HealthAnswer | undefined;
  let failure: string | undefined;
  /** The stream has stopped, and the sidecar was not asked since. */
  let isStale = false;
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
    update,
  };

  function update(moment: Moment): void {
    if (moment.isStale === isStale) return;
    isStale = moment.isStale;
    render();
  }

  function onAnswer(next: HealthAnswer): void {
    answer = next;
    failure = undefined;
    isStale = false;
    render();
  }

  function onFailure(reason: string): void {
    failure = reason;
    render();
  }

  function render(): void {
    const problem = failure ?? (isStale ? 'the sidecar does not answer' : undefined);
    const verdict = problem === undefined ? answer && verdictOf(answer) : undefined;
    setText(
      byId('n-health'),
      verdict === undefined ? (problem === undefined ? '' : '✕ not known') : markOf(verdict),
    );
    byId('health-lead').classList.toggle('wrong', problem !== undefined || verdict?.isFine === false);
    setText(byId('health-lead'), leadOf(verdict, problem));
    byId('health-found').hidden = answer === undefined;
    if (answer === undefined || !isShown) return;
    const was = problem !== undefined;
    setText(
      byId('health-since'),
      `since the sidecar of ${answer.node} started, ${timeOfDay(answer.started, answer.now)}`,
    );
    stages.set(stagesOf(answer));
    places.set(placesOf(answer, was));
    parts.set(partsOf(answer, was));
  }

  function leadOf(verdict: Verdict | undefined, problem: string | undefined): string {
    if (problem !== undefined) {
      const then =
        answer === undefined ? '' : ` What follows is how it was at ${timeOfDay(answer.now, Date.now())}.`;
      return `Not known: ${problem}.${then}`;
    }
    return verdict?.words ?? asking.waiting();
  }
}

function markOf({ isFine, mark }: Verdict): string {
  return isFine ? '✓ fine' : `${signOf(isFine)} ${mark}`;
}

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
