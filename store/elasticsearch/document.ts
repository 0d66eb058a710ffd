import { isIP } from 'node:net';
import type { HotItemEvent } from '../../event/event.ts';
import { isPlain } from '../../event/parse-plain.ts';
import { visitorOf } from '../../event/visitor.ts';
import { visitorNumber } from './visitor-number.ts';

const PLAIN = /^[ !#-[\]-~]*$/;

/**
 * The two lines of a bulk request that create an event's document, with a newline after each. It is a document of the Elastic Common
 * Schema, with our own fields under `hot_item`. Written piece by piece because making an object first and then going through it takes
 * twice the time, and a sink hardly does anything else; a test holds it to the places in `FIELDS`.
 *
 * `client.address` holds what the event calls its ip; `client.ip` and `source.ip` only where that is an address (a hash is
 * none, and nginx on a unix socket has none). `hot_item.bot` is there only where it is true, and `hot_item.kind` only where the
 * request was no view, so that `not hot_item.bot: true and not hot_item.kind: *` finds views by people in documents of every age.
 * `hot_item.visitor` says who: two texts that differ are two visitors of a day. `hot_item.visitor_number` is the same as a number, which
 * rankings count.
 */
export function toOperation(event: HotItemEvent): string {
  const text = isPlain(event) ? unchanged : escaped;
  const { args, ip, method, ref } = event;
  const id = text(event.id);
  const time = toIso(event.time);
  const path = text(event.uri);
  const asked = event.raw === undefined ? path : text(event.raw);
  const original = args === undefined ? asked : `${asked}?${text(args)}`;
  let json = `{"create":{"_id":"${id}"}}\n{"@timestamp":"${time}","event":{"id":"${id}","dataset":"hotitem.view","created":"${time}"},"url":{"original":"${original}","path":"${path}"`;
  if (args !== undefined) json += `,"query":"${text(args)}"`;
  if (event.host !== undefined) json += `,"domain":"${text(event.host)}"`;
  json += '}';
  if (method !== undefined && ref !== undefined)
    json += `,"http":{"request":{"method":"${text(method)}","referrer":"${text(ref)}"}}`;
  else if (method !== undefined) json += `,"http":{"request":{"method":"${text(method)}"}}`;
  else if (ref !== undefined) json += `,"http":{"request":{"referrer":"${text(ref)}"}}`;
  const isAddress = ip !== undefined && isIP(ip) !== 0;
  if (ip === undefined) json += ',"client":{}';
  else if (!isAddress) json += `,"client":{"address":"${text(ip)}"}`;
  else json += `,"client":{"address":"${ip}","ip":"${ip}"},"source":{"ip":"${ip}"}`;
  if (event.ua !== undefined) json += `,"user_agent":{"original":"${text(event.ua)}"}`;
  if (event.node !== undefined) json += `,"host":{"name":"${text(event.node)}"}`;
  json += `,"hot_item":{"id":"${text(event.item)}","weight":${event.weight ?? 1}`;
  const visitor = visitorOf(event);
  if (visitor !== undefined)
    json += `,"visitor":"${text(visitor)}","visitor_number":${visitorNumber(visitor)}`;
  if (event.kind !== undefined) json += `,"kind":"${event.kind}"`;
  if (event.bot === true) json += ',"bot":true';
  if (event.cut !== undefined) json += `,"cut":${JSON.stringify(event.cut)}`;
  // Not of the record: they may need escapes in a plain event too.
  if (event.name !== undefined) json += `,"name":"${escaped(event.name)}"`;
  if (event.category !== undefined) json += `,"category":"${escaped(event.category)}"`;
  return `${json}}}\n`;
}

/*
 * What is between the quotes. The quotes belong to the text around it: each piece more is copied once more when the operation becomes
 * bytes.
 */

/** Of a plain event, of which each text is looked at already. */
function unchanged(value: string): string {
  return value;
}

/** Most texts need no escapes, and finding that out is cheaper than JSON.stringify. */
function escaped(value: string): string {
  return PLAIN.test(value) ? value : JSON.stringify(value).slice(1, -1);
}

let second = Number.NaN;
let upToSecond = '';

/** As a date says it, which takes four times as long: events come in the order of time, many in a second. */
function toIso(time: number): string {
  const current = Math.floor(time / 1000);
  if (current !== second) {
    second = current;
    upToSecond = new Date(current * 1000).toISOString().slice(0, -4);
  }
  return `${upToSecond}${String(time - current * 1000).padStart(3, '0')}Z`;
}
