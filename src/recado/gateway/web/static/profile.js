/* The account on WhatsApp: what it shows, who sees it, its linked devices, and whom it blocks. All asked of WhatsApp. */
import { api, ask, button, items, make, may, nothing, onSubmit, part, say, sure, word, wordOr } from "./page.js";

const VALUES = {
  last: ["all", "contacts", "contact_blacklist", "none"], online: ["all", "match_last_seen"],
  profile: ["all", "contacts", "contact_blacklist", "none"], status: ["all", "contacts", "contact_blacklist", "none"],
  readreceipts: ["all", "none"], groupadd: ["all", "contacts", "contact_blacklist"], calladd: ["all", "known"],
  messages: ["all", "contacts"], defense: ["on_standard", "off"], stickers: ["contacts", "contact_allowlist", "none"],
};
const TIMERS = [0, 86400, 604800, 7776000];
const SIDE = 640, MOST = 500000;

/** The answer of WhatsApp to a request. Throws an Error for a person when there is none, or a refusal. */
const asked = async (path, options = {}) => {
  const told = await ask(`${api}${path}`, { method: "POST", wait: 15, ...options });
  if (told.state === "done") return told.answer;
  throw new Error(told.problem ?? word("profile.asked"));
};

// Three parts stand on one answer: it is asked for once, and again after a change.
let answer = null;
const profile = () => (answer ??= asked("/profile/look-ups").catch((error) => { answer = null; throw error; }));
const again = async () => { answer = null; await Promise.all([shown(), privacy(), blocked()]); };

const choose = (name, values, chosen, label) => make("label", {}, label, " ",
  make("select", { name }, values.map((value) => make("option", { value, selected: String(value) === String(chosen) },
    wordOr(name === "timer" ? `profile.timer.${value}` : `profile.value.${value}`, value)))));

/** The picture as a square JPEG of at most 640 by 640, in base64. */
const jpegOf = async (file) => {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) throw new Error(word("profile.too_large"));
  const side = Math.min(bitmap.width, bitmap.height), size = Math.min(side, SIDE);
  const canvas = make("canvas", { width: size, height: size });
  canvas.getContext("2d").drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, size, size);
  const [, data] = canvas.toDataURL("image/jpeg", 0.9).split(",");
  if (!data || data.length > MOST) throw new Error(word("profile.too_large"));
  return data;
};

const picture = (has) => {
  const input = make("input", { type: "file", accept: "image/*", class: "hidden", "aria-label": word("profile.set_picture"), tabindex: "-1" });
  const set = button(word("profile.set_picture"), () => input.click());
  input.addEventListener("change", async () => {
    try {
      await asked("/profile/picture", { method: "PUT", body: { jpeg: await jpegOf(input.files[0]) } });
      say(word("profile.saved"));
      await again();
    } catch (error) { say(error.message, true); }
  });
  return make("div", {}, make("h3", {}, word("profile.picture")), make("p", { class: "soft" }, word(has ? "profile.has_picture" : "profile.no_picture")),
    make("div", { class: "buttons" }, input, set, has ? button(word("profile.remove_picture"), async () => {
      if (!await sure(word("profile.sure_picture"), [], word("profile.remove"))) return;
      await asked("/profile/picture", { method: "DELETE" });
      await again();
    }) : null));
};

const saved = (form, changes) => onSubmit(form, async () => {
  const body = changes(form.elements);
  if (body) await asked("/profile", { method: "PATCH", body });
  await again();
  say(word("profile.saved")); // once what is shown is what holds: nothing typed from here on is drawn over
});
const foot = () => [make("p", { class: "problem wide", role: "alert", hidden: true }), make("div", { class: "wide" }, make("button", { class: "primary" }, word("profile.save")))];

const shown = part("profile", profile, (told) => {
  const form = make("form", { class: "fields" },
    make("label", {}, word("profile.name"), " ", make("input", { name: "name", maxlength: 25, required: true, value: told.name, autocomplete: "off" })),
    make("label", {}, word("profile.about"), " ", make("input", { name: "about", maxlength: 139, value: told.about ?? "", autocomplete: "off" })),
    choose("timer", TIMERS, told.default_timer, word("profile.timer")), foot());
  saved(form, ({ name, about, timer }) => {
    const body = { ...(name.value !== told.name ? { name: name.value } : {}), ...(about.value !== (told.about ?? "") ? { about: about.value } : {}),
      ...(Number(timer.value) !== told.default_timer ? { default_timer: Number(timer.value) } : {}) };
    return Object.keys(body).length ? body : null;
  });
  return [form, picture(told.has_picture)];
});

const privacy = part("privacy", profile, (told) => {
  const known = Object.keys(VALUES).filter((name) => name in told.privacy);
  const form = make("form", { class: "fields" },
    known.map((name) => choose(name, [...new Set([told.privacy[name], ...VALUES[name]])].sort((a, b) => VALUES[name].indexOf(a) - VALUES[name].indexOf(b)), told.privacy[name], word(`profile.of.${name}`))), foot());
  saved(form, (fields) => {
    const changed = known.filter((name) => fields[name].value !== told.privacy[name]);
    return changed.length ? { privacy: Object.fromEntries(changed.map((name) => [name, fields[name].value])) } : null;
  });
  return form;
});

const blocked = part("blocked", profile, (told) => items(told.blocked, (who) => make("li", {},
  make("div", { class: "main" }, make("code", { class: "id" }, who)),
  button(word("profile.unblock"), async () => {
    await ask(`${api}/people/blocks`, { method: "POST", body: { who, blocked: false } });
    say(word("profile.unblocked"));
    setTimeout(again, 1500);
  })), word("profile.no_blocked")));

const devices = part("devices", () => asked("/linked-devices/look-ups"), ({ devices: found }) => (found.length ? items(found, (each) => {
  const kind = each.is_phone ? "phone" : each.is_this ? "this" : "other";
  return make("li", {},
    make("div", { class: "main" }, make("div", { class: "title" }, word(`profile.device.${kind}`)),
      make("p", { class: "soft" }, [word("profile.number", { number: each.number }), each.is_phone ? null : word(each.is_vouched ? "profile.vouched" : "profile.unvouched")].filter(Boolean).join(" · "))),
    kind === "other" ? button(word("profile.remove"), async () => {
      if (!await sure(word("profile.remove_sure"), make("p", {}, word("profile.remove_text")), word("profile.remove"))) return;
      await asked(`/linked-devices/${each.number}`, { method: "DELETE" });
      await devices();
    }) : null);
}, "") : nothing(word("profile.no_devices"))));

if (may.manage) { shown(); privacy(); blocked(); devices(); }
