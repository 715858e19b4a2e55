/* The administrator's page of moves: each plan, what keeps whom from moving, what is to be known, and how far everybody is. */
import { ask, button, items, make, number, part, pill, say, sure, time, word, wordOr } from "./page.js";

const TONES = { dry_run: "idle", running: "good", waiting_for_you: "wait", stopped: "bad", rolling_back: "wait", rolled_back: "idle",
  finished: "good", waiting: "idle", connecting: "wait", testing: "wait", settling: "wait", done: "good", failed: "bad", restoring: "wait" };
const road = (name) => (name ? word(`card.road.${name}`) : word("moves.nothing"));

const reasons = (kind, found) => (found.length ? make("div", { class: "whole" }, make("p", { class: kind === "blocker" ? "problem" : "todo" }, word(`moves.${kind}s`)),
  make("ul", {}, found.map((each) => make("li", {}, wordOr(`moves.reason.${each}`, each))))) : null);

/** What the dry run counted, in one line. */
const figures = ({ queued, open_windows, templates_approved, media_kept_elsewhere, devices_to_be_unlinked }) => [
  ["goes", queued?.goes], ["under_way", queued?.under_way], ["open_windows", open_windows], ["templates_approved", templates_approved],
  ["media_kept_elsewhere", media_kept_elsewhere], ["devices_to_be_unlinked", devices_to_be_unlinked],
].filter(([, count]) => count != null).map(([name, count]) => `${word(`moves.figure.${name}`)}: ${number(count)}`).join(" · ");

const person = ({ name, mentorado_id, is_ready, report, state, reason, carried_over, state_at }) => {
  const shown = state === "planned" ? pill(is_ready ? "good" : "bad", word(is_ready ? "moves.ready" : "moves.not_ready"))
    : pill(TONES[state] ?? "idle", wordOr(`moves.state.${state}`, state));
  return make("li", {}, make("div", { class: "main" },
    make("div", { class: "title" }, make("a", { href: `/mentorados/${mentorado_id}` }, name ?? mentorado_id)),
    make("p", { class: "soft" }, word("moves.from_to", { from: road(report.from), to: road(report.to) })),
    reason ? make("p", { class: state === "failed" ? "problem" : "todo" }, wordOr(`moves.reason.${reason}`, reason)) : null,
    carried_over ? make("p", {}, word("moves.carried", { count: number(carried_over) })) : null,
    make("p", { class: "soft" }, figures(report))), shown, time(state_at),
  reasons("blocker", report.blockers ?? []), reasons("warning", report.warnings ?? []));
};

const step = (move, verb, isSure) => button(word(`moves.${verb}`), async () => {
  if (isSure && !await sure(word(`moves.${verb}`), make("p", {}, word(`moves.${verb}_text`)), word(`moves.${verb}_yes`))) return;
  await ask(`/v1/moves/${move.id}/${verb}`, { method: "POST" });
  say(word("moves.told"));
  await moves();
});
const steps = (move) => {
  const can = { waiting_for_you: [["continue", true], ["roll-back", true]], running: [["roll-back", true]], stopped: [["roll-back", true]], finished: [["roll-back", true]] };
  const found = can[move.state] ?? [];
  return found.length ? make("div", { class: "buttons" }, found.map(([verb, isSure]) => step(move, verb, isSure))) : null;
};

const draw = (move) => make("li", { class: "tall" }, make("div", { class: "main" },
  make("div", { class: "title" }, word("moves.to", { road: road(move.to), count: number(move.people.length) })),
  make("code", { class: "id" }, move.id),
  move.approved_by ? make("p", { class: "soft" }, word("moves.approved_by", { name: move.approved_by })) : make("p", { class: "soft" }, word("moves.how")),
  steps(move)), pill(TONES[move.state] ?? "idle", wordOr(`moves.state.${move.state}`, move.state)), time(move.made_at),
make("details", { class: "whole", open: move.people.length <= 5 }, make("summary", {}, word("moves.everybody")), make("ul", { class: "items" }, move.people.map(person))));

const moves = part("moves", () => ask("/v1/moves?limit=20"), ({ items: found }) => items(found, draw, word("moves.none")));
moves();
