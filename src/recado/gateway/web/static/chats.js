/*
 * How the account's own devices show the open chat: put away, on top, silent, unread, a star on a message; and asking
 * the phone for what came before. What changed is told by events, upon which conversation.js draws it.
 */
"use strict";
(() => {
  const { mentorado, csrf, conversation } = document.getElementById("desk").dataset;
  const api = `/v1/mentorados/${mentorado}`, menu = document.getElementById("chat-menu");
  const actions = document.getElementById("chat-actions"), place = menu?.querySelector("[role=alert]");

  const ask = async (method, path, body) => {
    const response = await fetch(api + path, { method, body: JSON.stringify(body),
      headers: { "content-type": "application/json", "x-csrf-token": csrf, prefer: "wait=15" } });
    const told = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(told.detail || response.statusText);
    if (told.problem) throw new Error(told.problem);
    return told;
  };

  const trying = async (button, work) => {
    if (button.disabled) return;
    button.disabled = true;
    if (place) place.hidden = true;
    try {
      await work();
      if (menu) menu.open = false;
      document.dispatchEvent(new CustomEvent("recado:open"));
    } catch (error) {
      if (place) {
        [place.textContent, place.hidden, menu.open] = [actions.dataset.failed.replace("{reason}", error.message), false, true];
      }
    }
    button.disabled = false;
  };

  actions?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-change]");
    if (!button) return;
    trying(button, async () => {
      await ask("PATCH", `/conversations/${conversation}`, JSON.parse(button.dataset.change));
      if ("leave" in button.dataset) location.search = "";
    });
  });
  document.addEventListener("click", (event) => { if (menu?.open && !menu.contains(event.target)) menu.open = false; });
  menu?.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.getElementById("messages")?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-star]");
    if (button) trying(button, () => ask("PUT", `/messages/${encodeURIComponent(button.dataset.star)}/star`,
      { starred: button.getAttribute("aria-pressed") !== "true" }));
  });

  // More of the past: asked here, told by the event that names the request.
  const past = document.getElementById("past"), said = past?.querySelector("[role=status]");
  let request = null;
  past?.querySelector("button").addEventListener("click", async ({ currentTarget: button }) => {
    button.disabled = true;
    try {
      request = (await ask("POST", `/conversations/${conversation}/history`, {})).request;
      said.textContent = button.dataset.asked;
    } catch (error) {
      said.textContent = error.message;
      button.disabled = false;
    }
  });
  document.addEventListener("recado:event", ({ detail }) => {
    const told = detail?.data ?? detail;
    if (!request || told?.request !== request) return;
    request = null;
    const button = past.querySelector("button");
    button.disabled = false;
    const count = told.messages ?? 0;
    said.textContent = count ? button.dataset.told.replace("{count}", count) : button.dataset.none;
  });
  // Once the oldest page is shown, the phone may know of more.
  document.getElementById("older")?.addEventListener("click", () => {
    new MutationObserver((_, observer) => {
      if (document.getElementById("older")) return;
      past.hidden = false;
      observer.disconnect();
    }).observe(document.getElementById("scroll"), { childList: true, subtree: true });
  });
})();
