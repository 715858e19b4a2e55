/* The page of care: what the doctor finds, recovery step by step, the copies of the session, and the audit. */
import { api, ask, button, doing, items, make, may, number, part, pill, say, sure, time, word, wordOr } from "./page.js";
import { drawAudit, drawDoctor } from "./findings.js";

const check = part("doctor", () => ask(`${api}/doctor`), drawDoctor);
const audit = part("audit", () => ask(`${api}/audit?limit=15`), drawAudit);
const backups = part("backups", () => ask(`${api}/operations/backups`), ({ items: found }) => items(found, (each) => make("li", {},
  make("div", { class: "main" }, make("div", { class: "title" }, wordOr(`care.copy.${each.reason}`, each.reason)),
    make("p", { class: "soft" }, word(each.has_credentials ? "care.copy_whole" : "care.copy_part", { count: number(each.keys) })),
    make("code", { class: "id" }, each.id)), time(each.made_at)), word("care.no_backups")));

const why = (reason) => wordOr(`care.reason.${reason}`, wordOr(`reason.${reason}`, reason));
const TONES = { done: "good", connected: "good", one: "good", qr: "wait", code: "wait", skipped: "idle", needs_scan: "wait" };

const step = ({ name, result, detail }) => make("li", {},
  make("div", { class: "main" }, make("div", { class: "title" }, word(`care.step.${name}`) ?? name),
    detail.reason ? make("p", { class: "soft" }, why(detail.reason)) : null,
    detail.backup ? make("p", { class: "soft" }, word("care.backup_at"), " ", make("code", { class: "id" }, detail.backup)) : null),
  pill(TONES[result] ?? "bad", wordOr(`care.result.${result}`, wordOr(`state.${result}`, result))));

const shown = document.getElementById("recovery");
const drawRecovery = (done) => {
  const last = done.steps.at(-1), reason = last?.detail.reason;
  const tone = { connected: "good", needs_scan: "wait", stopped: "bad" }[done.outcome];
  const canClear = done.outcome === "stopped" && reason === "would_clear";
  shown.replaceChildren(
    make("p", { class: "verdict", "data-tone": canClear ? "wait" : tone },
      canClear ? word("care.reason.would_clear") : word(`care.outcome.${done.outcome}`, { reason: reason ? why(reason) : "" })),
    ...(done.backup_id ? [make("p", {}, word("care.backup_at"), " ", make("code", { class: "id" }, done.backup_id))] : []),
    ...(canClear ? [button(word("care.clear_button"), clear, { class: "primary" })] : []),
    make("details", {}, make("summary", {}, word("care.steps_made", { count: done.steps.length })), make("ol", { class: "items" }, done.steps.map(step))));
};

const run = async (may_clear, reason) => {
  shown.replaceChildren(make("p", { class: "verdict", "data-tone": "wait" }, word("care.running")));
  try {
    drawRecovery(await ask(`${api}/operations/recover`, { method: "POST", body: { why: reason, may_clear } }));
  } catch (error) {
    shown.replaceChildren(make("p", { class: "problem", role: "alert" }, error.status === 404 ? word("care.none_yet") : word("page.failed", { reason: error.message })));
  }
  await Promise.all([check(), audit(), backups()]);
};

/** A field for the audit's why, which may stay empty. */
const reasonField = () => make("input", { maxlength: 500, autocomplete: "off" });

const clear = async () => {
  const field = reasonField();
  if (await sure(word("care.clear"), [make("p", {}, word("care.clear_text")), make("label", {}, word("care.why"), field)], word("care.clear_yes"))) await run(true, field.value);
};

const STEPS = ["scope", "reconnect", "back_up", "mend"];
const start = async () => {
  const steps = make("ol", {}, STEPS.map((name) => make("li", {}, make("b", {}, `${word(`care.step.${name}`)}.`), " ", word(`care.step.${name}.text`))));
  const field = reasonField();
  if (await sure(word("care.recover"), [make("p", {}, word("care.recover_plan")), steps, make("p", {}, word("care.recover_clear")),
    make("label", {}, word("care.why"), field)], word("care.recover_button"))) await run(false, field.value);
};

const pressed = document.getElementById("check");
pressed.addEventListener("click", () => doing(pressed, check));
doing(pressed, check);
if (may.manage) {
  const recover = document.getElementById("recover"), copy = document.getElementById("back-up");
  recover.addEventListener("click", () => doing(recover, start));
  copy.addEventListener("click", () => doing(copy, async () => {
    await ask(`${api}/operations/backup`, { method: "POST", body: {} }).catch((error) => {
      throw error.status === 404 ? new Error(word("care.none_yet")) : error;
    });
    say(word("care.backed_up"));
    await Promise.all([backups(), audit()]);
  }));
  backups();
  audit();
}
