/* Campaigns: how far each is, and holding, going on with or ending it. */
import { api, ask, at, button, items, make, may, number, part, pill, sure, time, word, wordOr } from "./page.js";

const TONES = { draft: "idle", running: "good", paused: "wait", finished: "idle", cancelled: "idle" };
const PARTS = ["sent", "delivered", "read", "waiting", "queued", "skipped", "failed", "unknown"];

const load = async () => {
  const { items: found, next } = await ask(`${api}/campaigns?limit=20`);
  return { found: await Promise.all(found.map((each) => ask(`${api}/campaigns/${each.id}`))), next };
};

const move = (campaign, verb) => button(word(`campaigns.${verb}`), async () => {
  if (verb === "cancel" && !await sure(word("campaigns.cancel"), make("p", {}, word("campaigns.cancel_text")), word("campaigns.cancel_yes"))) return;
  await ask(`${api}/campaigns/${campaign.id}/${verb}`, { method: "POST" });
  await campaigns();
});
const VERBS = { draft: ["cancel"], running: ["pause", "cancel"], paused: ["resume", "cancel"] };

const reasons = (found) => Object.entries(found).map(([reason, count]) => `${wordOr(`campaigns.reason.${reason}`, wordOr(`rule.${reason}`, reason))}: ${number(count)}`).join(" · ");

const draw = ({ campaign, figures }) => {
  const all = figures.waiting + figures.queued + figures.sent + figures.failed + figures.unknown + figures.skipped;
  const settled = all - figures.waiting - figures.queued, why = reasons(figures.reasons);
  return make("li", { class: "tall" },
    make("div", { class: "main" },
      make("div", { class: "title" }, campaign.name),
      make("progress", { max: Math.max(1, all), value: settled, "aria-label": word("campaigns.progress", { done: settled, all }) }),
      make("p", {}, word("campaigns.progress", { done: number(settled), all: number(all) })),
      make("p", { class: "soft" }, PARTS.filter((name) => figures[name]).map((name) => `${word(`campaigns.figure.${name}`)}: ${number(figures[name])}`).join(" · ")),
      why ? make("p", { class: "soft" }, word("campaigns.why"), " ", why) : null,
      campaign.waits_for && (campaign.state === "running" || campaign.state === "paused") ? make("p", { class: "todo" }, word("campaigns.waits", { reason: wordOr(`campaigns.reason.${campaign.waits_for}`, wordOr(`rule.${campaign.waits_for}`, campaign.waits_for)) }),
        campaign.due_at && campaign.state === "running" ? ` ${at("campaigns.due", campaign.due_at)}` : "") : null,
      may.send && VERBS[campaign.state] ? make("div", { class: "buttons" }, VERBS[campaign.state].map((verb) => move(campaign, verb))) : null),
    pill(TONES[campaign.state], word(`campaigns.state.${campaign.state}`)), time(campaign.created_at));
};

const campaigns = part("campaigns", load, ({ found, next }) => [items(found, draw, word("campaigns.none")),
  next ? make("p", { class: "soft" }, word("campaigns.older")) : null].filter(Boolean));
campaigns();
setInterval(() => { if (!document.hidden) campaigns(); }, 15000);
