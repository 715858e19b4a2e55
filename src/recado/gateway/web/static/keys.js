/* A mentorado's API keys: made and replaced, each token shown once; taken back for good. */
import { api, ask, at, button, items, make, may, onSubmit, part, pill, reveal, say, sure, word } from "./page.js";

const stateOf = (key) => (key.revoked_at ? "revoked" : key.expires_at && new Date(key.expires_at) <= Date.now() ? "expired" : key.replaced_by ? "replaced" : "works");
const TONES = { works: "good", replaced: "wait", revoked: "idle", expired: "idle" };

const buttons = (key) => make("div", { class: "buttons" },
  key.replaced_by ? null : button(word("keys.rotate"), async () => {
    if (!await sure(word("keys.rotate"), make("p", {}, word("keys.rotate_text")), word("keys.rotate_yes"))) return;
    const made = await ask(`${api}/keys/${key.id}/rotate`, { method: "POST", body: {} });
    await keys();
    await reveal(word("keys.token"), word("keys.token_text"), made.token);
  }),
  button(word("keys.revoke"), async () => {
    if (!await sure(word("keys.revoke"), make("p", {}, word("keys.revoke_text")), word("keys.revoke_yes"))) return;
    await ask(`${api}/keys/${key.id}`, { method: "DELETE" });
    say(word("keys.revoked"));
    await keys();
  }));

const keys = part("keys", () => ask(`${api}/keys`), ({ items: found }) => items(found, (key) => {
  const state = stateOf(key);
  return make("li", {},
    make("div", { class: "main" },
      make("div", { class: "title" }, key.name || word("keys.nameless"), " ", make("code", {}, `rk_${key.prefix}_…`)),
      make("p", {}, key.scopes.map((scope) => word(`keys.scope.${scope}`) ?? scope).join(" · ")),
      make("p", { class: "soft" }, [at("keys.created", key.created_at), key.last_used_at ? at("keys.used", key.last_used_at) : word("keys.unused"),
        key.expires_at ? at("keys.until", key.expires_at) : null].filter(Boolean).join(" · ")),
      state === "works" || state === "replaced" ? buttons(key) : null),
    pill(TONES[state], word(`keys.state.${state}`)));
}, word("keys.none")));

const form = document.getElementById("new");
if (form) onSubmit(form, async (fields) => {
  const scopes = [...form.querySelectorAll("[name=scope]:checked")].map((box) => box.value);
  if (!scopes.length) throw new Error(word("keys.no_scope"));
  const day = fields.expires.value;
  const made = await ask(`${api}/keys`, { method: "POST", body: { name: fields.name.value, scopes, ...(day ? { expires_at: new Date(`${day}T23:59:59`).toISOString() } : {}) } });
  form.reset();
  await keys();
  await reveal(word("keys.token"), word("keys.token_text"), made.token);
});
if (may.manage) keys();
