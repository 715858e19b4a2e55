/* What the doctor found and what was done, as lists: for a mentorado's page and for the administrator's. */
import { everyPair, items, language, make, pill, time, word, wordOr } from "./page.js";

const TONES = { ok: "good", warning: "wait", problem: "bad" };
const ORDER = ["problem", "warning", "ok"];

/** The doctor's sentences, each as a pattern of the English one with a place for what changes, and in the page's language. */
const SENTENCES = everyPair("finding.say.").map(([english, own]) => {
  const names = [];
  const pattern = english.split(/\{(\w+)\}/).map((piece, place) => {
    if (place % 2 === 0) return piece.replace(/[.*+?^$()|[\]\\/]/g, "\\$&");
    names.push(piece);
    return "(.+?)";
  }).join("");
  return [new RegExp(`^${pattern}$`), names, own];
});
const translate = (text) => {
  for (const [pattern, names, own] of SENTENCES) {
    const match = pattern.exec(text);
    if (match) return own.replace(/\{(\w+)\}/g, (_, name) => match[1 + names.indexOf(name)]);
  }
  return null;
};

const said = (text) => {
  const own = language === "en" ? text : translate(text);
  return own ? [own] : make("span", { lang: "en" }, text);
};

const finding = (each) => make("li", { "data-severity": each.severity },
  make("div", { class: "main" }, make("div", { class: "title" }, wordOr(`finding.${each.check}`, each.check)),
    make("p", {}, said(each.words)), each.advice ? make("p", { class: "todo" }, said(each.advice)) : null),
  pill(TONES[each.severity], word(`finding.severity.${each.severity}`)));

/** What is wrong first, in full; what is fine behind it, folded. */
export const drawDoctor = ({ has_problems, findings }) => {
  const sorted = [...findings].sort((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
  const bad = sorted.filter((each) => each.severity !== "ok"), fine = sorted.filter((each) => each.severity === "ok");
  const verdict = has_problems ? "problem" : bad.length ? "warning" : "ok";
  return [make("p", { class: "verdict", "data-tone": TONES[verdict], role: "status" }, word(`finding.verdict.${verdict}`)),
    bad.length ? make("ul", { class: "items" }, bad.map(finding)) : null,
    make("details", {}, make("summary", {}, word("finding.fine", { count: fine.length })), make("ul", { class: "items" }, fine.map(finding)))].filter(Boolean);
};

const actor = (text) => wordOr(`audit.actor.${text.split(":")[0]}`, text);

/** What of an entry's detail is worth a line: plain values only. */
const facts = (detail) => {
  const reason = detail.reason ? wordOr(`care.reason.${detail.reason}`, wordOr(`reason.${detail.reason}`, wordOr(`care.copy.${detail.reason}`, detail.reason))) : null;
  const result = detail.result ? wordOr(`care.result.${detail.result}`, wordOr(`state.${detail.result}`, detail.result)) : null;
  return [result, reason, detail.why ? `“${detail.why}”` : null].filter(Boolean).join(" · ");
};

export const drawAudit = ({ items: entries }) => items(entries, (each) => make("li", {},
  make("div", { class: "main" },
    make("div", { class: "title" }, wordOr(`audit.${each.action}`, each.action)),
    make("p", { class: "soft" }, [actor(each.actor), facts(each.detail)].filter(Boolean).join(" · "))),
  time(each.at)), word("audit.none"));
