/* The guardrails: what waits and why, what to look at, what WhatsApp forbade, what is used up, and the rules. */
import { api, ask, at, button, items, make, may, mentorado, moment, nothing, number, onSubmit, part, pill, say, sure, time, word, wordOr } from "./page.js";

const UNLIMITED = 1000000;
const openConversation = (id) => make("a", { href: `/mentorados/${mentorado}?c=${id}` }, word("guard.open"));

const held = part("held", () => ask(`${api}/outbox?only=held`), ({ items: found }) => items(found, (each) => make("li", {},
  make("div", { class: "main" },
    make("div", { class: "title" }, word("guard.held_by", { rule: wordOr(`rule.${each.held.rule}`, each.held.rule), time: moment(each.held.until) })),
    make("p", {}, wordOr(`rule.${each.held.rule}.text`, each.held.why)),
    each.text ? make("blockquote", { dir: "auto" }, each.text.length > 140 ? `${each.text.slice(0, 140)}…` : each.text) : null,
    make("p", { class: "soft" }, word(`guard.origin.${each.origin}`), " · ", openConversation(each.conversation_id))),
  may.send ? button(word("guard.call_back"), async () => {
    await ask(`${api}/messages/${encodeURIComponent(each.id)}`, { method: "DELETE" });
    say(word("guard.called_back"));
    await held();
  }) : null), word("guard.no_held")));

const attention = part("attention", () => ask(`${api}/guardrails/attention`), ({ items: found }) => items(found, (each) => make("li", {},
  make("div", { class: "main" },
    make("div", { class: "title" }, word(`guard.kind.${each.kind}`), each.times > 1 ? ` ×${number(each.times)}` : ""),
    make("p", {}, each.rule ? wordOr(`rule.${each.rule}.text`, each.rule) : each.code ? wordOr(`guard.code.${each.code}`, word("guard.code", { code: each.code })) : ""),
    make("p", { class: "soft" }, time(each.at), " · ", openConversation(each.conversation_id))),
  may.send ? button(word("guard.resolve"), async () => {
    await ask(`${api}/guardrails/attention/${each.id}/resolve`, { method: "POST" });
    await attention();
  }) : null), word("guard.no_attention")));

const restrictions = part("restrictions", () => ask(`${api}/guardrails/restrictions`), ({ items: found }) => items(found, (each) => make("li", {},
  make("div", { class: "main" },
    make("div", { class: "title" }, word(`guard.scope.${each.scope}`)),
    make("p", {}, wordOr(`guard.code.${each.code}`, word("guard.code", { code: each.code }))),
    make("p", { class: "soft" }, at("guard.learnt", each.learnt_at), " · ", each.until ? at("guard.until", each.until) : word("guard.until_unknown"))),
  pill(each.holds ? "bad" : "idle", word(each.holds ? "guard.holds" : "guard.over")),
  each.holds && may.manage ? button(word("guard.lift"), async () => {
    if (!await sure(word("guard.lift"), make("p", {}, word("guard.lift_text")), word("guard.lift_yes"))) return;
    await ask(`${api}/guardrails/restrictions/${each.id}`, { method: "DELETE" });
    await restrictions();
  }) : null), word("guard.no_restrictions")));

const PERIODS = { 60: "minute", 3600: "hour", 86400: "day" };
const budget = (each) => make("li", {},
  make("div", { class: "main" },
    make("div", { class: "title" }, word("guard.budget", { rule: wordOr(`rule.${each.rule}`, each.rule),
      counts: word(`guard.counts.${each.counts}`), per: word(`guard.per.${PERIODS[each.seconds] ?? "day"}`) })),
    make("progress", { max: Math.max(1, each.most), value: Math.min(each.used, each.most), "aria-label": word("guard.used", { used: each.used, most: each.most }) }),
    each.room_at ? make("p", { class: "todo" }, at("guard.room_at", each.room_at)) : null),
  make("span", { class: "count" }, `${number(each.used)} / ${number(each.most)}`));

const loadUsage = () => ask(`${api}/guardrails/usage`).catch((error) => {
  if (error.status === 404) return null;
  throw error;
});
const usage = part("usage", loadUsage, (found) => {
  if (!found) return nothing(word("guard.no_usage"));
  const limited = found.budgets.filter((each) => each.most < UNLIMITED);
  return [found.step ? make("p", {}, word("guard.warming", { day: found.step.day + 1 })) : null,
    limited.length ? make("ul", { class: "items" }, limited.map(budget)) : nothing(word("guard.no_limits"))].filter(Boolean);
});

/** The rules that are changed here: where each stands, and what kind of value it is. */
const FIELDS = [
  ["quiet_start", ["quiet_hours", "start"], "time"], ["quiet_end", ["quiet_hours", "end"], "time"],
  ["time_zone", ["quiet_hours", "time_zone"], "zone"],
  ["automation_minute", ["automation", "per_minute"], "count"], ["automation_day", ["automation", "per_day"], "count"],
  ["campaign_day", ["campaign", "per_day"], "count"], ["new_chats", ["new_chats_per_day"], "count"],
  ["repetition", ["repetition", "people"], "count"], ["warm_up_days", ["warm_up_days"], "days"],
  ["take_over", ["take_over_minutes"], "minutes"],
];
const LARGEST = { count: UNLIMITED, days: 365, minutes: 60 * 24 * 30 };
const read = (rules, path) => path.reduce((found, name) => found[name], rules);

const input = (name, kind, value) => {
  if (kind === "time") return make("input", { name, type: "time", required: true, value: String(value).slice(0, 5) });
  if (kind === "zone") return make("input", { name, list: "zones", required: true, autocomplete: "off", value });
  return make("input", { name, type: "number", min: 0, max: LARGEST[kind], required: kind !== "count", inputmode: "numeric",
    value: kind === "count" && value >= UNLIMITED ? "" : value, placeholder: kind === "count" ? word("guard.no_limit") : null });
};
const valueOf = (kind, text) => (kind === "time" || kind === "zone" ? text.trim() : text === "" ? UNLIMITED : Number(text));

const rules = part("rules", () => ask(`${api}/guardrails`), ({ rules: held_, version, updated_at }) => {
  const zones = make("datalist", { id: "zones" }, Intl.supportedValuesOf("timeZone").map((zone) => make("option", { value: zone })));
  const form = make("form", { id: "rules", class: "fields" },
    FIELDS.map(([name, path, kind]) => make("label", {}, word(`guard.field.${name}`), " ", input(name, kind, read(held_, path)))), zones,
    make("p", { class: "problem wide", role: "alert", hidden: true }),
    may.manage ? make("div", { class: "wide buttons" }, make("button", { class: "primary", id: "save-rules" }, word("guard.save")),
      version ? button(word("guard.reset"), async () => {
        if (!await sure(word("guard.reset"), make("p", {}, word("guard.reset_text")), word("guard.reset"))) return;
        await ask(`${api}/guardrails`, { method: "DELETE" });
        await Promise.all([rules(), usage()]);
      }) : null) : make("p", { class: "soft wide" }, word("page.read_only")));
  if (!may.manage) for (const field of form.querySelectorAll("input")) field.disabled = true;
  onSubmit(form, async (fields) => {
    const changes = {};
    for (const [name, path, kind] of FIELDS) {
      const value = valueOf(kind, fields[name].value), before = read(held_, path);
      if (value === (kind === "time" ? String(before).slice(0, 5) : before)) continue;
      if (path.length > 1) changes[path[0]] = { ...changes[path[0]], [path[1]]: value };
      else changes[path[0]] = value;
    }
    if (Object.keys(changes).length) await ask(`${api}/guardrails`, { method: "PATCH", body: { changes, version } });
    say(word("guard.saved"));
    await Promise.all([rules(), usage()]);
  });
  return [held_.enabled ? null : make("p", { class: "problem" }, word("guard.off")), form,
    updated_at ? make("p", { class: "soft" }, at("guard.changed", updated_at)) : null].filter(Boolean);
});

for (const refresh of [held, attention, restrictions, usage, rules]) refresh();
// What waits changes by itself; the rules only when somebody changes them, perhaps right here.
setInterval(() => { if (!document.hidden) for (const refresh of [held, attention, usage]) refresh(); }, 15000);
