/* Webhooks: where events are posted, how that went, and what is to be told again. */
import { api, ask, at, button, items, make, may, number, onSubmit, part, pill, reveal, say, sure, time, word } from "./page.js";

const TONES = { active: "good", paused: "idle", disabled: "bad" };
const at_ = (id, path = "") => `${api}/webhooks/${id}${path}`;
const opened = new Set();

const attempt = (each) => make("li", {},
  make("div", { class: "main" },
    make("div", {}, each.event === null ? word("hooks.a_test") : word("hooks.event", { event: each.event, attempt: each.attempt })),
    each.error ? make("p", { class: "problem" }, each.error) : null),
  pill(each.error ? "bad" : "good", each.status ?? word("hooks.no_answer")), make("span", { class: "soft" }, `${number(each.milliseconds)} ms`), time(each.at));
const letter = (each) => make("li", {},
  make("div", { class: "main" }, make("div", {}, word("hooks.letter", { event: each.event, kind: each.kind ?? "?", count: each.attempts })),
    each.error ? make("p", { class: "problem" }, each.error) : null),
  each.is_redriving ? pill("wait", word("hooks.redriving")) : null, time(each.died_at));

const details = (hook) => {
  const place = make("div", {});
  const load = async () => {
    try {
      const [made, dead] = await Promise.all([ask(at_(hook.id, "/attempts?limit=8")), ask(at_(hook.id, "/dead-letters?limit=20"))]);
      place.replaceChildren(make("h3", {}, word("hooks.attempts")), items(made.items, attempt, word("hooks.no_attempts")),
        make("h3", {}, word("hooks.dead")), items(dead.items, letter, word("hooks.no_dead")),
        ...(dead.items.length && may.manage ? [button(word("hooks.redrive"), async () => {
          await ask(at_(hook.id, "/redrive"), { method: "POST", body: { dead_letters: true } });
          say(word("hooks.redriven"));
          await load();
        })] : []));
    } catch (error) {
      place.replaceChildren(make("p", { class: "problem", role: "alert" }, word("page.failed", { reason: error.message })));
    }
  };
  const box = make("details", { open: opened.has(hook.id) }, make("summary", {}, word("hooks.more")), place);
  box.addEventListener("toggle", () => {
    opened[box.open ? "add" : "delete"](hook.id);
    if (box.open) load();
  });
  return box;
};

const buttons = (hook) => make("div", { class: "buttons" },
  button(word("hooks.test"), async () => {
    const done = await ask(at_(hook.id, "/ping"), { method: "POST" });
    say(done.is_delivered ? word("hooks.test_good", { status: done.status, milliseconds: done.milliseconds }) : word("hooks.test_bad", { reason: done.error }), !done.is_delivered);
    await hooks();
  }),
  hook.state === "active"
    ? button(word("hooks.pause"), async () => { await ask(at_(hook.id), { method: "PATCH", body: { state: "paused" } }); await hooks(); })
    : button(word("hooks.resume"), async () => { await ask(at_(hook.id, "/resume"), { method: "POST" }); await hooks(); }),
  button(word("hooks.rotate"), async () => {
    if (!await sure(word("hooks.rotate"), make("p", {}, word("hooks.rotate_text")), word("hooks.rotate_yes"))) return;
    const made = await ask(at_(hook.id, "/rotate-secret"), { method: "POST" });
    await reveal(word("hooks.secret"), word("hooks.secret_text"), made.secret);
    await hooks();
  }),
  button(word("hooks.remove"), async () => {
    if (!await sure(word("hooks.remove"), make("p", {}, word("hooks.remove_text")), word("hooks.remove_yes"))) return;
    await ask(at_(hook.id), { method: "DELETE" });
    await hooks();
  }));

const hooks = part("webhooks", () => ask(`${api}/webhooks`), ({ items: found }) => items(found, (hook) => make("li", { class: "tall" },
  make("div", { class: "main" },
    make("div", { class: "title" }, hook.name || hook.url), hook.name ? make("p", { class: "soft breaks" }, hook.url) : null,
    make("p", { class: "soft" }, hook.kinds.length ? word("hooks.wants", { kinds: hook.kinds.join(", ") }) : word("hooks.wants_all"), " · ", word("hooks.cursor", { event: hook.cursor })),
    hook.failing_since ? make("p", { class: "problem" }, at("hooks.failing", hook.failing_since), " ", hook.next_attempt_at ? at("hooks.next", hook.next_attempt_at) : "") : null,
    hook.state_reason ? make("p", { class: "problem" }, hook.state_reason) : null),
  pill(hook.failing_since && hook.state === "active" ? "wait" : TONES[hook.state], word(hook.failing_since && hook.state === "active" ? "hooks.state.failing" : `hooks.state.${hook.state}`)),
  make("div", { class: "whole" }, may.manage ? buttons(hook) : null, details(hook))),
word("hooks.none")));

const form = document.getElementById("new");
if (form) onSubmit(form, async (fields) => {
  const kinds = fields.kinds.value.split(/[\s,]+/).filter(Boolean);
  const made = await ask(`${api}/webhooks`, { method: "POST", body: { url: fields.url.value, name: fields.name.value, kinds } });
  form.reset();
  await hooks();
  await reveal(word("hooks.secret"), word("hooks.secret_text"), made.secret);
});
hooks();
