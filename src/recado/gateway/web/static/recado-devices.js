/*
 * <recado-devices> — inside the card: the devices that are linked to the account, as WhatsApp tells them, and taking one
 * off. Asked only when a person opens it. The card gives it `speak`: words, and questions to the API.
 */
"use strict";
(() => {
  class RecadoDevices extends HTMLElement {
    /** { make, word, ask } */
    speak = null;
    #found = null;
    #problem = "";
    #isAsking = false;
    /** The number of the device a person is asked about. */
    #isSure = 0;

    connectedCallback() { if (!this.firstChild) this.#draw(); }

    async load() {
      await this.#do(async () => { this.#found = (await this.#ask("/linked-devices/look-ups", "POST")).devices; });
    }

    async #remove(number) {
      await this.#do(async () => {
        await this.#ask(`/linked-devices/${number}`, "DELETE");
        this.#isSure = 0;
        this.#found = (await this.#ask("/linked-devices/look-ups", "POST")).devices;
      });
    }

    /** What WhatsApp answers. Throws an Error for a person when it refuses, or says nothing yet. */
    async #ask(path, method) {
      const told = await this.speak.ask(path, method, undefined, { prefer: "wait=15" });
      if (told.state === "done") return told.answer;
      throw new Error(told.problem ?? this.speak.word("card.devices_asked"));
    }

    async #do(work) {
      this.#isAsking = true;
      this.#problem = "";
      this.#draw();
      try { await work(); } catch (error) { this.#problem = error.message; }
      this.#isAsking = false;
      this.#draw();
    }

    #item(each) {
      const { make, word } = this.speak, kind = each.is_phone ? "phone" : each.is_this ? "this" : "other", disabled = this.#isAsking;
      const item = make("li", {}, make("div", { class: "device" },
        make("span", { class: "name" }, word(`card.devices_${kind}`)), make("span", { class: "soft" }, word("card.devices_number", { number: each.number })),
        kind === "other" && !this.#isSure ? make("button", { type: "button", id: `device-${each.number}`, disabled, onclick: () => this.#choose(each.number) }, word("card.devices_remove")) : null));
      if (this.#isSure !== each.number || kind !== "other") return item;
      item.append(make("p", {}, word("card.devices_sure")), make("div", { class: "buttons" },
        make("button", { type: "button", id: "device-sure", disabled, onclick: () => this.#remove(each.number) }, word("card.devices_yes")),
        make("button", { type: "button", id: "device-keep", class: "primary", onclick: () => this.#choose(0) }, word("card.devices_no"))));
      return item;
    }

    #choose(number) {
      this.#isSure = number;
      this.#draw();
      this.querySelector(number ? "#device-keep" : "summary")?.focus();
    }

    #draw() {
      const { make, word } = this.speak, details = this.querySelector("details");
      const found = this.#found, parts = [
        this.#problem ? make("p", { class: "problem", role: "alert" }, this.#problem) : null,
        !found && this.#isAsking ? make("p", { class: "soft" }, word("card.devices_asking")) : null,
        found && !found.length ? make("p", { class: "soft" }, word("card.devices_none")) : null,
        found?.length ? make("ul", { class: "devices" }, ...found.map((each) => this.#item(each))) : null,
      ].filter(Boolean);
      if (details) {
        details.replaceChildren(details.firstChild, ...parts);
        return;
      }
      const made = make("details", { class: "linked" }, make("summary", {}, word("card.devices")), ...parts);
      made.addEventListener("toggle", () => { if (made.open && !this.#isAsking) this.load(); });
      this.append(made);
    }
  }

  if (!customElements.get("recado-devices")) customElements.define("recado-devices", RecadoDevices);
})();
