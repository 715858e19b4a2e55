/*
 * <recado-connection mentorado="…"> — the connection card: the three roads to WhatsApp, the one in use, and each one's state.
 *
 * On recado's own pages the browser's session speaks (attribute `csrf`). On another site give `base-url` and `api-key`
 * (a key with the scopes read and manage), and let the operator allow that site (RECADO_CORS_ORIGINS).
 * `lang` chooses the language; `read-only` takes the buttons away; `public-url` is where providers reach the gateway;
 * `road` (meta, baileys, zapi) is the road that is looked at, and follows what a person looks at.
 *
 * Events it sends, bubbling: `recado:connection` (where the connection stands) and `recado:event` (each fact).
 * Every text is set as text; the QR is drawn from numbers. Nothing here parses markup.
 */
"use strict";
(() => {
  const WORDS = "words go here";
  const SVG = "http://www.w3.org/2000/svg";
  const STYLE = "style goes here";

  const TONES = { connected: "good", connecting: "wait", qr: "wait", code: "wait", passkey: "wait", held: "wait", reconnecting: "wait",
    replaced: "bad", restricted: "bad", logged_out: "bad", failed: "bad" };
  /** What is asked of the API once a person is sure. */
  const VERBS = { unlink: "unlink", number_changed: "allow-another-number" };
  /** The roads by priority, and which of them are connected by credentials rather than by a phone. */
  const ROADS = ["meta", "baileys", "zapi"], BY_CREDENTIALS = ["meta", "zapi"];
  const UNTOUCHED = { desired: "disconnected", state: "disconnected", reason: null, account: null };
  const WANTED = ["connecting", "qr", "code", "passkey", "held", "connected", "reconnecting"];
  const SHEET = new CSSStyleSheet();
  SHEET.replaceSync(STYLE);

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  };

  /** Server-Sent Events from a fetch: unlike EventSource it can carry an Authorization header. */
  async function* readEvents(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer += value;
      let end;
      while ((end = buffer.indexOf("\n\n")) >= 0) {
        const event = { id: null, kind: "message", data: "" };
        for (const line of buffer.slice(0, end).split("\n")) {
          if (line.startsWith("id: ")) event.id = line.slice(4);
          else if (line.startsWith("event: ")) event.kind = line.slice(7);
          else if (line.startsWith("data: ")) event.data += line.slice(6);
        }
        buffer = buffer.slice(end + 2);
        if (event.data) yield event;
      }
    }
  }

  class RecadoConnection extends HTMLElement {
    #root = this.attachShadow({ mode: "open" });
    #abort = null;
    #timer = null;
    #last = null;
    #found = Object.fromEntries(ROADS.map((provider) => [provider, { ...UNTOUCHED, provider }]));
    /** The road a person chose to look at; empty: the one in use. */
    #chosen = "";
    /** Which road carries what is sent, and why, as the API tells it. */
    #use = null;
    /** How often that was asked: an answer that a later question overtook is old. */
    #weighed = 0;
    #credentials = new Map();
    #devices = null;
    #problem = "";
    #isAsking = false;
    /** What a person is asked whether they are sure about: "unlink", "number_changed", or nothing. */
    #isSure = "";
    #stepLength = 0;
    #drawn = "";
    #isPressed = false;
    /** The number a person is typing, to be shown a code for. */
    #phone = "";
    /** The passkey's answer, as a person pasted it. */
    #pasted = "";

    connectedCallback() {
      this.#root.adoptedStyleSheets = [SHEET];
      if (ROADS.includes(this.getAttribute("road"))) this.#chosen = this.getAttribute("road");
      this.#render();
      this.#abort = new AbortController();
      this.#listen(this.#abort.signal);
      this.#timer = setInterval(() => this.#tick(), 1000);
      // A button that is exchanged between press and release would lose the click: news waits until the finger is off.
      this.addEventListener("pointerdown", () => { this.#isPressed = true; }, { signal: this.#abort.signal });
      for (const end of ["pointerup", "pointercancel"]) {
        addEventListener(end, () => setTimeout(() => { if (this.#isPressed) { this.#isPressed = false; this.#render(); } }), { signal: this.#abort.signal });
      }
    }

    disconnectedCallback() {
      this.#abort?.abort();
      clearInterval(this.#timer);
    }

    /** The road that is looked at, and where it stands, as last told. */
    get #road() {
      const busy = ROADS.find((provider) => this.#found[provider].desired === "connected");
      return this.#chosen || this.#use?.provider || busy || "baileys";
    }
    get #connection() { return this.#found[this.#road]; }
    get connection() { return this.#connection; }
    get connections() { return Object.values(this.#found); }
    get #mayManage() { return !this.hasAttribute("read-only"); }

    #word(key, values = {}) {
      const wanted = (this.getAttribute("lang") || document.documentElement.lang || "en").toLowerCase();
      const language = Object.keys(WORDS).find((code) => code.toLowerCase().split("-")[0] === wanted.split("-")[0]) || "en";
      const text = WORDS[language][key] ?? WORDS.en[key];
      return text?.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
    }

    #url(path) {
      return `${(this.getAttribute("base-url") || "").replace(/\/$/, "")}/v1/mentorados/${encodeURIComponent(this.getAttribute("mentorado"))}${path}`;
    }

    #headers(more = {}) {
      const key = this.getAttribute("api-key"), csrf = this.getAttribute("csrf");
      const language = this.getAttribute("lang") || document.documentElement.lang;
      return { ...(language ? { "accept-language": language } : {}), ...(key ? { authorization: `Bearer ${key}` } : {}), ...(csrf ? { "x-csrf-token": csrf } : {}), ...more };
    }

    async #listen(signal) {
      let pause = 500;
      while (!signal.aborted) {
        try {
          const headers = this.#headers(this.#last ? { "last-event-id": this.#last } : {});
          const response = await fetch(this.#url("/events/stream"), { headers, signal, cache: "no-store" });
          if ([401, 403, 404].includes(response.status)) {
            this.#problem = this.#word("card.signed_out");
            this.#render();
            return;
          }
          if (!response.ok) throw new Error(String(response.status));
          if (this.#problem === this.#word("card.offline")) this.#problem = "";  // what else went wrong still did
          pause = 500;
          this.#tell("recado:open", {});
          this.#render();
          for await (const event of readEvents(response)) this.#take(event);
        } catch (error) {
          if (signal.aborted) return;
          this.#problem = this.#word("card.offline");
          this.#render();
        }
        await new Promise((done) => setTimeout(done, pause));
        pause = Math.min(pause * 2, 10000);
      }
    }

    #take(event) {
      const told = JSON.parse(event.data);
      if (event.kind === "connection") {
        const found = told.connections.filter(({ provider }) => ROADS.includes(provider));
        const before = this.#connection;
        for (const each of found) this.#found[each.provider] = each;
        const now = this.#connection;
        if (now.step?.expires_at !== before.step?.expires_at) this.#stepLength = this.#left(now.step);
        if (now.state !== before.state) this.#isSure = "";
        this.#render();
        for (const each of found) this.#tell("recado:connection", each);
        this.#weigh();
      } else {
        if (event.id) this.#last = event.id;
        this.#tell("recado:event", told);
      }
    }

    #tell(name, detail) {
      this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
    }

    /** One request of the API. Throws an Error for a person, with what was wrong with which field. */
    async #fetch(path, method, body, more = {}) {
      const headers = this.#headers(body === undefined ? more : { "content-type": "application/json", ...more });
      let response;
      try {
        response = await fetch(this.#url(path), { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
      } catch {
        throw new Error(this.#word("card.offline"));
      }
      const told = response.status === 204 ? null : await response.json().catch(() => ({}));
      if (response.ok) return told;
      const reason = told.detail || told.title || response.statusText;
      throw Object.assign(new Error(this.#word("card.refused", { reason })), { errors: told.errors, status: response.status });
    }

    async #ask(path, method = "POST", body = undefined, take = () => {}) {
      this.#isAsking = true;
      this.#problem = "";
      this.#render();
      try {
        take(await this.#fetch(path, method, body));
      } catch (error) {
        this.#problem = error.message;
      }
      this.#isAsking = false;
      this.#isSure = "";
      this.#render();
    }

    #do(verb, body = undefined) {
      const provider = this.#road;
      this.#choose(provider);
      const before = this.#found[provider];
      return this.#ask(`/connections/${provider}/${verb}`, "POST", body, (told) => {
        // What the stream told meanwhile is as new as the answer, or newer.
        if (this.#found[provider] === before) this.#found[provider] = { ...before, ...told, step: null };
      });
    }

    #pin(pin) { return this.#ask("/provider", "PUT", { pin }, (told) => { this.#use = told; this.#weigh(); }); }

    /** Ask which road carries now; the answer to the last question counts. */
    async #weigh() {
      const mine = ++this.#weighed;
      try {
        const told = await this.#fetch("/provider", "GET");
        if (mine !== this.#weighed) return;
        this.#use = told;
        this.#render();
      } catch { /* what was told last still stands; the stream says when the gateway is away */ }
    }

    #choose(provider) {
      this.#chosen = provider;
      this.setAttribute("road", provider);
    }

    #look(provider) {
      this.#isPressed = false;
      this.#choose(provider);
      this.#isSure = this.#problem = "";
      this.#stepLength = this.#left(this.#connection.step);
      this.#render();
      this.#root.getElementById(`road-${provider}`)?.focus();
    }

    #left(step) {
      return step ? Math.max(0, Math.ceil((new Date(step.expires_at) - Date.now()) / 1000)) : 0;
    }

    #tick() {
      const left = this.#left(this.#connection.step);
      const count = this.#root.querySelector(".count"), bar = this.#root.querySelector(".bar i");
      if (count) count.textContent = left ? this.#word(this.#connection.step?.kind === "qr" ? "card.seconds" : "card.left", { seconds: left }) : this.#word("card.next_code");
      if (bar) bar.style.inlineSize = `${Math.min(100, (100 * left) / Math.max(1, this.#stepLength))}%`;
    }

    #time(text) {
      const at = new Date(text), language = this.getAttribute("lang") || document.documentElement.lang || "en";
      const region = navigator.languages.find((each) => each.split("-")[0] === language.split("-")[0]) ?? language;
      const sameDay = at.toDateString() === new Date().toDateString();
      return at.toLocaleString(region, sameDay ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" });
    }

    #step() {
      const step = this.#connection.step;
      if (!step) return [];
      if (step.kind === "qr" && step.drawing) {
        const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
        const size = step.drawing.size;
        svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
        svg.setAttribute("role", "img");
        svg.setAttribute("aria-label", this.#word("card.qr"));
        svg.setAttribute("shape-rendering", "crispEdges");
        path.setAttribute("d", step.drawing.path);
        svg.append(path);
        return [make("div", { class: "qr" }, svg), make("div", { class: "count", role: "timer" }),
          make("div", { class: "bar", "aria-hidden": "true" }, make("i")), make("p", { class: "soft" }, this.#word("card.scan"))];
      }
      const count = make("div", { class: "count", role: "timer" });
      if (step.kind === "code") return [make("p", { class: "code" }, step.text), count, make("p", { class: "soft" }, this.#word("card.type"))];
      if (!this.#mayManage) return [];
      return step.kind === "held" ? [...this.#decide(step), count] : [...this.#sign(step), count];
    }

    /** Another number than the history's answered: whose is it? */
    #decide(step) {
      const disabled = this.#isAsking, settle = (keep) => this.#answer("another-number", { keep });
      return [make("p", { class: "todo", id: "held" }, this.#word("card.held", { number: `+${step.text}`, account: `+${this.#connection.account ?? ""}` })),
        make("div", { class: "buttons" },
          make("button", { id: "refuse", class: "primary", disabled, onclick: () => settle(false) }, this.#word("card.held_refuse")),
          make("button", { id: "keep", disabled, onclick: () => settle(true) }, this.#word("card.held_keep")))];
    }

    /** A passkey is signed on WhatsApp's own page: the request goes there and the answer comes back through a person's hands. */
    #sign(step) {
      const answer = make("textarea", { id: "assertion", rows: 3, spellcheck: "false", autocomplete: "off", "aria-label": this.#word("card.passkey_answer"),
        oninput: (event) => { this.#pasted = event.target.value; } });
      answer.value = this.#pasted;
      const send = () => {
        let assertion = null;
        try { assertion = JSON.parse(this.#pasted); } catch { /* said below */ }
        if (assertion && typeof assertion === "object") {
          this.#pasted = "";
          return this.#answer("passkey", { assertion });
        }
        this.#problem = this.#word("card.passkey_unreadable");
        this.#render();
      };
      const copy = (event) => navigator.clipboard.writeText(step.text).then(() => { event.target.textContent = this.#word("card.passkey_copied"); });
      const page = make("a", { href: "https://web.whatsapp.com/", rel: "noreferrer", target: "_blank" }, "web.whatsapp.com");
      const script = make("a", { href: `${(this.getAttribute("base-url") || "").replace(/\/$/, "")}/static/recado-passkey.js`, target: "_blank" }, this.#word("card.passkey_script"));
      return [make("ol", { class: "steps", id: "passkey" },
        make("li", {}, `${this.#word("card.passkey_1")} `, make("button", { id: "copy", onclick: copy }, this.#word("card.passkey_copy"))),
        make("li", {}, `${this.#word("card.passkey_2")} `, page, " · ", script),
        make("li", {}, this.#word("card.passkey_3"))), answer,
      make("div", { class: "buttons" }, make("button", { id: "signed", class: "primary", disabled: this.#isAsking, onclick: send }, this.#word("card.passkey_send")))];
    }

    #answer(verb, body) { return this.#ask(`/connections/${this.#road}/${verb}`, "POST", body); }

    /** Linking without a camera: a code for the phone with this number. */
    #byNumber() {
      if (!this.#mayManage || this.#road !== "baileys" || this.#isSure || WANTED.includes(this.#connection.state)) return null;
      const typed = make("input", { id: "phone", inputmode: "tel", autocomplete: "tel", value: this.#phone, placeholder: "+55 11 91234-5678",
        oninput: (event) => { this.#phone = event.target.value; } });
      const show = () => {
        const phone = `+${this.#phone.replace(/\D/g, "")}`;
        this.#phone = "";
        this.#do("connect", { phone });
      };
      return make("details", { class: "by-number", open: this.#root.querySelector("details.by-number")?.open ?? false },
        make("summary", {}, this.#word("card.by_number")), make("div", { class: "field" }, make("label", {}, this.#word("card.phone"), typed)),
        make("div", { class: "buttons" }, make("button", { id: "show-code", disabled: this.#isAsking, onclick: show }, this.#word("card.show_code"))));
    }

    #buttons() {
      if (!this.#mayManage) return null;
      const { state, account, desired } = this.#connection, disabled = this.#isAsking;
      if (this.#isSure) {
        return make("div", {}, make("p", {}, this.#word(`card.${this.#isSure}_sure`)), make("div", { class: "buttons" },
          make("button", { id: "sure", disabled, onclick: () => this.#do(VERBS[this.#isSure]) }, this.#word(`card.${this.#isSure}_yes`)),
          make("button", { class: "primary", onclick: () => { this.#isSure = ""; this.#render(); } }, this.#word(`card.${this.#isSure}_no`))));
      }
      const buttons = make("div", { class: "buttons" });
      if (WANTED.includes(state) && desired !== "disconnected") {
        buttons.append(make("button", { id: "disconnect", disabled, onclick: () => this.#do("disconnect") }, this.#word("card.disconnect")));
      } else if (!BY_CREDENTIALS.includes(this.#road) || this.#credentials.get(this.#road)?.told?.is_set) {
        const word = this.#connection.reason === "codes_ran_out" ? "card.new_code" : state === "failed" ? "card.retry" : "card.connect";
        buttons.append(make("button", { id: "connect", class: "primary", disabled, onclick: () => this.#do("connect") }, this.#word(word)));
      }
      if (account && this.#road !== "meta" && ["connected", "disconnected"].includes(state)) {
        buttons.append(make("button", { id: "unlink", disabled, onclick: () => { this.#isSure = "unlink"; this.#render(); } }, this.#word("card.unlink")));
      }
      if (this.#connection.reason === "another_number") {
        buttons.append(make("button", { id: "number", disabled, onclick: () => { this.#isSure = "number_changed"; this.#render(); } }, this.#word("card.number_changed")));
      }
      return buttons;
    }

    #facts() {
      const { account, state, state_at, retry_at, history, history_at } = this.#connection, rows = [];
      if (account) rows.push(["card.account", `+${account}`]);
      if (state_at) rows.push(["card.since", this.#time(state_at)]);
      if (history === 100 && history_at) rows.push(["card.history_done", this.#time(history_at)]);
      const told = history !== null && history !== undefined && history < 100 && this.#word("card.history", { percent: history });
      return [told ? make("div", { id: "history" }, make("progress", { max: 100, value: history, "aria-label": told }), make("p", { class: "soft" }, told)) : null,
        rows.length ? make("dl", {}, ...rows.flatMap(([key, value]) => [make("dt", {}, this.#word(key)), make("dd", {}, value)])) : null,
        retry_at ? make("p", { class: "soft", id: "retry" }, this.#word(state === "restricted" ? "card.until" : "card.next_try", { time: this.#time(retry_at) })) : null];
    }

    /** A text of this road's own, else the one for all. */
    #own(name, other) { return this.#word(`card.${this.#road}.${name}`) ?? this.#word(other); }

    #why() {
      const { reason, state } = this.#connection;
      if (!reason || ["connected", "qr", "code", "passkey", "held"].includes(state)) return [make("p", { class: "soft" }, this.#own(state, `state.${state}.text`))];
      const code = /^meta_(\d+)$/.exec(reason)?.[1];
      const known = code ? this.#word("card.meta.code", { code }) : this.#own(reason, `reason.${reason}`);
      const todo = known ? this.#own(code ? "code.todo" : `${reason}.todo`, `reason.${reason}.todo`) : this.#word("reason.other.todo");
      return [make("p", {}, known || this.#word("reason.other", { reason })), make("p", { class: "todo" }, todo)];
    }

    /** The three, each with its state; pressing one shows it. */
    #roads() {
      return make("div", { class: "roads", role: "group", "aria-label": this.#word("card.roads") }, ...ROADS.map((provider) => {
        const { state } = this.#found[provider], isUsed = this.#use?.provider === provider, isPinned = this.#use?.pin === provider;
        return make("button", { type: "button", class: "road", id: `road-${provider}`, "data-tone": TONES[state] || "idle",
          "aria-pressed": String(this.#road === provider), onclick: () => this.#look(provider) },
        make("span", { class: "dot", "aria-hidden": "true" }), make("span", { class: "name" }, this.#word(`card.road.${provider}`)),
        isUsed || isPinned ? make("span", { class: "badge" }, this.#word(isPinned ? "card.pinned" : "card.in_use"))
          : make("span", { class: "is" }, this.#word(`state.${state}`) || state));
      }));
    }

    #inUse() {
      if (!this.#use) return null;
      const { provider, pin, because } = this.#use;
      return make("p", { class: "use soft", id: "use" }, this.#word(`card.use.${because}`, { road: this.#word(`card.road.${provider ?? pin}`) }));
    }

    /** Having everything go over this road, or no longer. */
    #pinning() {
      if (!this.#use || !this.#mayManage || this.#isSure) return null;
      const standing = this.#use.candidates.find(({ provider }) => provider === this.#road)?.standing, disabled = this.#isAsking;
      if (this.#use.pin === this.#road) {
        return make("div", { class: "buttons" }, make("button", { id: "unpin", disabled, onclick: () => this.#pin(null) }, this.#word("card.unpin")));
      }
      if (!["connected", "expected"].includes(standing)) return null;
      const road = this.#road;
      return make("div", { class: "buttons" }, make("button", { id: "pin", disabled, onclick: () => this.#pin(road) }, this.#word("card.pin")));
    }

    /** What stays as it is while the card around it is drawn anew: somebody may be typing in it. */
    #kept() {
      const provider = this.#road;
      if (this.#mayManage && provider === "baileys" && this.#connection.state === "connected") return this.#linked();
      if (!this.#mayManage || !BY_CREDENTIALS.includes(provider)) return null;
      if (!this.#credentials.has(provider)) {
        const element = document.createElement("recado-credentials");
        const base = this.getAttribute("public-url") || this.getAttribute("base-url") || location.origin;
        element.speak = { provider, make, word: (key, values) => this.#word(key, values), time: (text) => this.#time(text),
          ask: (path, method, body) => this.#fetch(path, method, body), origin: base.replace(/\/$/, "") };
        element.addEventListener("kept", () => { this.#drawn = ""; this.#render(); this.#weigh(); });
        this.#credentials.set(provider, element);
        element.load().then(() => { this.#drawn = ""; this.#render(); });
      }
      return this.#credentials.get(provider);
    }

    /** The account's devices; a new list for a new connection. */
    #linked() {
      const since = this.#connection.state_at;
      if (!this.#devices || this.#devices.since !== since) {
        const element = document.createElement("recado-devices");
        element.speak = { make, word: (key, values) => this.#word(key, values), ask: (...asked) => this.#fetch(...asked) };
        this.#devices = { since, element };
      }
      return this.#devices.element;
    }

    #about() {
      const isOpen = this.#root.querySelector("details.about")?.open ?? false, points = [];
      for (let number = 1; this.#word(`card.about.${this.#road}_${number}`); number += 1) points.push(this.#word(`card.about.${this.#road}_${number}`));
      return make("details", { class: "about", open: isOpen }, make("summary", {}, this.#word("card.about")), make("ul", {}, ...points.map((text) => make("li", {}, text))));
    }

    #render() {
      if (this.#isPressed) return;
      const { state } = this.#connection, kept = this.#kept();
      const focused = this.#root.activeElement, isKept = focused && kept?.contains(focused);
      const help = `${(this.getAttribute("base-url") || "").replace(/\/$/, "")}/help/states#${state}`;
      const inside = make("div", { class: "inside" });
      const card = make("section", { class: "card", "aria-label": this.#word("card.title") },
        make("h2", {}, this.#word("card.title")), this.#inUse(), this.#roads(),
        make("div", { "data-tone": TONES[state] || "idle" },
          make("div", { class: "state", role: "status", "data-state": state }, make("span", { class: "dot", "aria-hidden": "true" }), this.#word(`state.${state}`) || state)),
        ...this.#why(), ...this.#step(), ...this.#facts(),
        this.#problem ? make("p", { class: "problem", role: "alert" }, this.#problem) : null,
        this.#buttons(), this.#byNumber(), this.#pinning(), inside,
        make("p", { class: "soft" }, make("a", { href: help, target: "_blank" }, this.#word("card.help"))), this.#about());
      const drawn = `${this.#road} ${card.outerHTML}`;
      if (drawn === this.#drawn) return;
      this.#drawn = drawn;
      if (kept) inside.append(kept);
      this.#root.replaceChildren(card);
      this.#tick();
      if (isKept) focused.focus();
      else if (focused?.id) this.#root.getElementById(focused.id)?.focus();
    }
  }

  if (!customElements.get("recado-connection")) customElements.define("recado-connection", RecadoConnection);
})();
