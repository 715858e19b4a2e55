/*
 * <recado-credentials> — inside the card: what a road is connected by that has no phone to link. A form that is checked
 * field by field; once saved the secrets are gone from the page, and only what the API still shows of them is seen.
 * The card gives it `speak`: words, questions to the API, times, and the gateway's own address.
 */
"use strict";
(() => {
  const NUMBER = /^[0-9]{1,32}$/, NAME = /^[A-Za-z0-9_-]{1,128}$/, SECRET = /^[!-~]{1,2048}$/;
  /** What each road asks for; `kept` are the ones the API shows again. */
  const FIELDS = {
    meta: [
      { name: "phone_number_id", form: NUMBER, wrong: "digits", kept: true, mode: "numeric" },
      { name: "waba_id", form: NUMBER, wrong: "digits", kept: true, mode: "numeric" },
      { name: "access_token", form: SECRET, wrong: "spaces", secret: true },
      { name: "shared", tick: true },
      { name: "app_secret", form: SECRET, wrong: "spaces", secret: true, own: true },
      { name: "verify_token", form: SECRET, wrong: "spaces", optional: true, own: true },
    ],
    zapi: [
      { name: "instance_id", form: NAME, wrong: "name", kept: true },
      { name: "token", form: SECRET, wrong: "spaces", secret: true },
      { name: "client_token", form: SECRET, wrong: "spaces", secret: true },
      { name: "code_for", form: NUMBER, wrong: "phone", optional: true, mode: "tel" },
    ],
  };
  const FORMS = { meta: "MetaForm", zapi: "ZapiForm" };

  class RecadoCredentials extends HTMLElement {
    /** { provider, make, word, ask, time, origin } */
    speak = null;
    #told = null;
    #isOpen = false;
    #asked = "";
    #problem = "";
    #note = "";

    /** What is kept now; null while it is not known. */
    get told() { return this.#told; }

    async load() {
      try {
        this.#told = await this.speak.ask(this.#path(), "GET");
        this.#problem = "";
      } catch (error) {
        this.#problem = error.message;
      }
      this.#draw();
    }

    #path(more = "") { return `/connections/${this.speak.provider}/credentials${more}`; }

    #change() { this.dispatchEvent(new CustomEvent("kept")); }

    #draw(focus = "") {
      const { make, word, provider } = this.speak;
      const isSet = this.#told?.is_set ?? false;
      if (!this.#told) return this.replaceChildren(this.#problem ? make("p", { class: "problem", role: "alert" }, this.#problem) : "");
      const isForm = !isSet || this.#isOpen;
      // What is saved takes no room from the conversations, unless somebody is at it.
      const isOpen = this.querySelector("details")?.open || isForm || Boolean(this.#note || this.#problem || this.#asked);
      this.replaceChildren(make("details", { open: isOpen }, make("summary", {}, word("card.credentials")),
        ...(isForm ? [this.#form(isSet)] : this.#kept()),
        this.#problem ? make("p", { class: "problem", role: "alert" }, this.#problem) : "",
        make("p", { class: "soft", "aria-live": "polite" }, this.#note)));
      if (focus) this.querySelector(focus)?.focus();
      this.dataset.provider = provider;
    }

    // ---- what is kept

    #kept() {
      const { make, word, time, origin } = this.speak, { hint, updated_at, webhook_path, verify_token } = this.#told;
      const rows = FIELDS[this.speak.provider].filter(({ name }) => hint[name] && hint[name] !== true)
        .map(({ name }) => [word(`card.field.${name}`), hint[name]]);
      if (updated_at) rows.push([word("card.saved_at"), time(updated_at)]);
      return [make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))])),
        webhook_path ? this.#copied("webhook", word(`card.${this.speak.provider}.webhook`), origin + webhook_path) : "",
        verify_token ? this.#copied("verify", word("card.verify_once"), verify_token) : "",
        this.#asked ? this.#question() : this.#buttons(webhook_path && !hint.shared)];
    }

    #copied(name, text, value) {
      const { make, word } = this.speak;
      const shown = make("code", { class: "copied", id: `${name}-value` }, value);
      const copy = async () => {
        try {
          await navigator.clipboard.writeText(value);
          this.#note = word("card.copied");
        } catch {
          getSelection().selectAllChildren(shown);
          this.#note = word("card.copy_by_hand");
        }
        this.querySelector("[aria-live]").textContent = this.#note;
      };
      return make("div", { class: "copy" }, make("p", { class: "soft" }, text), shown,
        make("button", { type: "button", "aria-label": word("card.copy_that", { what: text }), onclick: copy }, word("card.copy")));
    }

    #buttons(canRenew) {
      const { make, word } = this.speak;
      const ask = (asked) => () => { this.#asked = asked; this.#draw("#keep"); };
      return make("div", { class: "buttons" },
        make("button", { type: "button", id: "replace", onclick: () => { this.#isOpen = true; this.#note = ""; this.#draw("input"); } }, word("card.replace")),
        canRenew ? make("button", { type: "button", id: "renew", onclick: ask("renew") }, word("card.renew")) : null,
        make("button", { type: "button", id: "delete", onclick: ask("delete") }, word("card.delete")));
    }

    #question() {
      const { make, word } = this.speak, asked = this.#asked;
      return make("div", {}, make("p", {}, word(`card.${asked}_sure`)), make("div", { class: "buttons" },
        make("button", { type: "button", onclick: () => this.#do(asked) }, word(`card.${asked}_yes`)),
        make("button", { type: "button", id: "keep", class: "primary", onclick: () => { this.#asked = ""; this.#draw(`#${asked}`); } }, word("card.keep"))));
    }

    async #do(asked) {
      this.#problem = "";
      this.#asked = "";
      try {
        if (asked === "delete") await this.speak.ask(this.#path(), "DELETE");
        else await this.speak.ask(this.#path("/renew-webhook"), "POST");
        this.#note = this.speak.word(`card.${asked}_done`);
        await this.load();
        this.#change();
      } catch (error) {
        this.#problem = error.message;
        this.#draw();
      }
    }

    // ---- the form

    #form(isSet) {
      const { make, word, provider } = this.speak;
      const form = make("form", { novalidate: true, autocomplete: "off", onsubmit: (event) => { event.preventDefault(); this.#save(form); } },
        make("p", { class: "soft" }, word(`card.${provider}.where`)),
        ...FIELDS[provider].map((field) => this.#field(field)),
        make("div", { class: "buttons" }, make("button", { class: "primary", id: "save" }, word("card.save")),
          isSet ? make("button", { type: "button", onclick: () => { this.#isOpen = false; this.#problem = ""; this.#draw("#replace"); } }, word("card.cancel")) : null));
      const shared = form.elements.shared;
      const fit = () => { for (const { name, own } of FIELDS[provider]) if (own) form.querySelector(`[data-field=${name}]`).hidden = shared.checked; };
      shared?.addEventListener("change", fit);
      if (shared) fit();
      return form;
    }

    #field({ name, tick, secret, optional, kept, mode }) {
      const { make, word } = this.speak, hint = this.#told.hint ?? {};
      const label = word(`card.field.${name}`);
      if (tick) return make("label", { class: "tick" }, make("input", { type: "checkbox", name, checked: hint[name] === true }), label);
      const input = make("input", { id: name, name, type: secret ? "password" : "text", autocomplete: secret ? "new-password" : "off",
        spellcheck: "false", autocapitalize: "none", inputmode: mode, required: !optional, value: kept ? hint[name] : null, "aria-describedby": `${name}-wrong`,
        oninput: () => this.#tell(input, "") });
      return make("div", { class: "field", "data-field": name },
        make("label", { for: name }, label, optional ? make("span", { class: "soft" }, ` ${word("card.optional")}`) : ""),
        input, make("p", { class: "problem", id: `${name}-wrong`, hidden: true }));
    }

    #tell(input, text) {
      const place = this.querySelector(`[id="${input.name}-wrong"]`);
      [place.textContent, place.hidden] = [text, !text];
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }

    /** What the form says, or null when something in it is wrong, which then stands beside the field. */
    #read(form) {
      const { word, provider } = this.speak, said = {}, wrong = [];
      const isShared = form.elements.shared?.checked ?? false;
      for (const { name, tick, form: shape, wrong: why, optional, own } of FIELDS[provider]) {
        const input = form.elements[name];
        if (tick) { said[name] = input.checked; continue; }
        if (own && isShared) continue;
        const value = name === "code_for" ? input.value.replace(/[\s()+-]/g, "") : input.value.trim();
        const problem = value ? (shape.test(value) ? "" : word(`card.wrong.${why}`)) : optional ? "" : word("card.wrong.missing");
        this.#tell(input, problem);
        if (problem) wrong.push(input);
        else if (value) said[name] = value;
      }
      if (this.#told.hint?.graph_version) said.graph_version = this.#told.hint.graph_version;
      wrong[0]?.focus();
      return wrong.length ? null : said;
    }

    async #save(form) {
      const said = this.#read(form), pressed = form.querySelector("#save");
      if (!said || pressed.disabled) return;
      pressed.disabled = true;
      try {
        this.#told = await this.speak.ask(this.#path(), "PUT", said);
        [this.#isOpen, this.#problem, this.#note] = [false, "", this.speak.word("card.saved")];
        this.#draw("#replace");
        this.#change();
      } catch (error) {
        pressed.disabled = false;
        if (!this.#place(form, error.errors ?? [])) this.#fail(form, error.message);
      }
    }

    /** Put what the API found wrong beside its fields; did any have one? */
    #place(form, errors) {
      const mine = errors.map(({ at, problem }) => [at.split("."), problem])
        .filter(([at]) => at.includes(FORMS[this.speak.provider])).map(([at, problem]) => [form.elements[at.at(-1)], problem]);
      const found = mine.filter(([input]) => input?.name);
      for (const [input, problem] of found) this.#tell(input, problem);
      found[0]?.[0].focus();
      return found.length > 0;
    }

    #fail(form, text) {
      form.querySelector(":scope > .problem")?.remove();
      form.append(this.speak.make("p", { class: "problem", role: "alert" }, text));
    }
  }

  if (!customElements.get("recado-credentials")) customElements.define("recado-credentials", RecadoCredentials);
})();
