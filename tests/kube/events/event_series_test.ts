import assert from "node:assert/strict";
import {
  type EventSeries,
  forgetOldest,
  type RecordedEvent,
  SeriesLedger,
} from "../../../lib/kube/events/event_series.ts";
import { START, WRITTEN } from "../../support/recorded_events.ts";

const REFUSED: RecordedEvent = { ...WRITTEN, type: "Warning", reason: "FilesRefused", message: "outside" };

/** A ledger at a time that the test moves, in seconds. */
function open() {
  let now = 0;
  const ledger = new SeriesLedger({ random: () => 0, now: () => new Date(START + now) });
  return {
    ledger,
    pass: (seconds: number) => void (now += seconds * 1000),
    add: (event: RecordedEvent) => ledger.add(event, now),
    told: (series: EventSeries, count = series.count) => ledger.posted(series, count, now),
    drop: (series: EventSeries) => ledger.drop(series, now),
    next(): EventSeries {
      const series = ledger.next();
      assert.ok(series, "there is nothing to tell");
      return series;
    },
    /** Seconds until the next is due. */
    dueIn(): number {
      return (this.next().dueAt - now) / 1000;
    },
    /** Tells everything, in the order of the ledger. */
    tellAll(): EventSeries[] {
      const all: EventSeries[] = [];
      for (let series = ledger.next(); series !== undefined; series = ledger.next()) {
        this.told(series);
        all.push(series);
      }
      return all;
    },
  };
}

function about(name: string, event = WRITTEN): RecordedEvent {
  return { ...event, ref: { ...event.ref, name } };
}

Deno.test("add() counts what is the same, and begins a series for another object, uid, type, reason or message", () => {
  const it = open();
  const different: RecordedEvent[] = [
    WRITTEN,
    about("other"),
    { ...WRITTEN, ref: { ...WRITTEN.ref, kind: "Secret" } },
    { ...WRITTEN, ref: { ...WRITTEN.ref, namespace: "other" } },
    { ...WRITTEN, uid: "4-5-6" },
    { ...WRITTEN, type: "Warning" },
    { ...WRITTEN, reason: "FilesRemoved" },
    { ...WRITTEN, message: "wrote /data/b.json" },
  ];
  for (const event of [...different, ...different]) it.add(event);
  const all = it.tellAll();
  assert.deepEqual(all.map(({ event }) => event), different);
  assert.deepEqual(all.map(({ count }) => count), different.map(() => 2));
});

Deno.test("add() keeps a message of more than 1024 bytes shortened, and finds its series again", () => {
  const it = open();
  for (let time = 0; time < 2; time++) it.add({ ...WRITTEN, message: "x".repeat(2000) });
  const [series, ...others] = it.tellAll();
  assert.equal(series?.event.message, "x".repeat(1021) + "…");
  assert.deepEqual([series?.count, others], [2, []]);
});

Deno.test("add() keeps the first and the last time by the wall clock", () => {
  const it = open();
  it.add(WRITTEN);
  it.pass(7);
  it.add(WRITTEN);
  const { firstTime, lastTime } = it.next();
  assert.deepEqual([firstTime, lastTime], [new Date(START), new Date(START + 7000)]);
});

Deno.test("add() begins a series anew when the last was more than ten minutes ago", () => {
  const it = open();
  it.add(WRITTEN);
  const [first] = it.tellAll();
  it.pass(600);
  it.add(WRITTEN);
  assert.equal(it.tellAll()[0], first);
  it.pass(600.001);
  it.add(WRITTEN);
  const second = it.next();
  assert.notEqual(second.name, first?.name);
  assert.equal(second.count, 1);
});

Deno.test("add() says whether there is something to tell that was not there before", () => {
  const it = open();
  assert.deepEqual([it.add(WRITTEN), it.add(WRITTEN)], [true, false]);
  it.tellAll();
  assert.deepEqual([it.add(WRITTEN), it.add(WRITTEN)], [true, false]);
});

Deno.test("add() takes a burst of 25 for an object, then one in five minutes", () => {
  const it = open();
  const storm = (what: string) => {
    for (let index = 0; index < 100; index++) it.add({ ...WRITTEN, message: `wrote ${what} ${index}` });
  };
  storm("first");
  it.add(about("other"));
  assert.equal(it.tellAll().length, 26);
  assert.equal(it.ledger.dropped, 75);
  it.pass(300);
  storm("second");
  assert.equal(it.tellAll().length, 1);
});

Deno.test("add() keeps 200 series: what was told goes first, then good news, then what is old", () => {
  const it = open();
  const numbered = (count: number, what: string) => Array.from({ length: count }, (_, index) => `${what}-${index}`);
  const left = () => it.tellAll().map(({ event }) => event.ref.name);
  it.add(about("told", REFUSED));
  it.tellAll();
  it.add(about("bad", REFUSED));
  for (const name of numbered(200, "good")) it.add(about(name));
  assert.equal(it.ledger.dropped, 1);
  assert.deepEqual(left(), ["bad", ...numbered(200, "good").slice(1)]);
  for (const name of numbered(201, "bad")) it.add(about(name, REFUSED));
  assert.equal(it.ledger.dropped, 2);
  assert.deepEqual(left(), numbered(201, "bad").slice(1));
});

Deno.test("add() of an object forgets all of it but what names it", () => {
  const it = open();
  it.add({ ...WRITTEN, ref: { ...WRITTEN.ref, data: "x".repeat(1000) } as RecordedEvent["ref"] });
  assert.deepEqual(it.next().event.ref, WRITTEN.ref);
});

Deno.test("add() gives each Event a name of its own, which the API server takes, however long the object's is", () => {
  const it = open();
  const longest = ["a".repeat(253), `${"a".repeat(200)}${"-".repeat(52)}b`];
  for (const name of ["short", "short", ...longest]) it.add({ ...about(name), message: crypto.randomUUID() });
  const names = it.tellAll().map(({ name }) => name);
  assert.match(names[0]!, /^short\.[0-9a-f]+-0-0$/);
  assert.equal(new Set(names).size, 4);
  for (const name of names) {
    assert.ok(name.length <= 253, name);
    assert.match(name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
  }
});

Deno.test("next() is what is due first", () => {
  const it = open();
  it.add(about("a"));
  it.pass(1);
  it.add(about("b"));
  it.tellAll();
  it.add(about("b"));
  it.pass(1);
  it.add(about("a"));
  assert.deepEqual(it.tellAll().map(({ event }) => event.ref.name), ["b", "a"]);
});

Deno.test("told() of fewer than were counted meanwhile leaves the rest to be told", () => {
  const it = open();
  it.add(WRITTEN);
  it.add(WRITTEN);
  const series = it.next();
  it.told(series, 1);
  assert.equal(it.next(), series);
  assert.equal(it.dueIn(), 5);
});

Deno.test("told() has repeats wait for twice as long each time, five minutes at most, and for the end of a burst", () => {
  const it = open();
  it.add(WRITTEN);
  const delays: number[] = [];
  for (let time = 0; time < 9; time++) {
    it.told(it.next());
    it.add(WRITTEN);
    delays.push(it.dueIn());
    it.pass(it.dueIn());
  }
  assert.deepEqual(delays, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
  it.tellAll();
  it.pass(299);
  it.add(WRITTEN);
  assert.equal(it.dueIn(), 5);
});

Deno.test("add() of repeats that do not end does not put off that they are told", () => {
  const it = open();
  it.add(WRITTEN);
  it.tellAll();
  it.add(WRITTEN);
  it.pass(3);
  it.add(WRITTEN);
  assert.equal(it.dueIn(), 2);
});

Deno.test("restart() has an Event that the API server forgot told whole, under another name", () => {
  const it = open();
  it.add(WRITTEN);
  const [series] = it.tellAll();
  const { name } = series!;
  it.ledger.restart(series!);
  assert.equal(it.next(), series);
  assert.notEqual(series!.name, name);
  assert.equal(series!.postedCount, 0);
});

Deno.test("drop() forgets an Event that was never told, and keeps one that was, for its next repeat", () => {
  const it = open();
  it.add(WRITTEN);
  it.drop(it.next());
  assert.deepEqual([it.ledger.next(), it.ledger.dropped], [undefined, 1]);
  it.add(WRITTEN);
  const series = it.next();
  assert.equal(series.count, 1);
  it.told(series);
  it.add(WRITTEN);
  it.drop(series);
  assert.deepEqual([it.ledger.next(), it.ledger.dropped], [undefined, 1]);
  it.add(WRITTEN);
  assert.equal(it.next().count, 3);
});

Deno.test("forgetOldest() leaves the 200 that were set last", () => {
  const map = new Map(Array.from({ length: 250 }, (_, index): [string, number] => [String(index), index]));
  forgetOldest(map);
  assert.deepEqual([...map.values()], Array.from({ length: 200 }, (_, index) => index + 50));
});
