/*
 * Keeps a mentorado's page live. When the card tells of an event, the same page is fetched again and what is new in its
 * lists is put in, item by item, so that focus, scroll and what was announced stay. Sending goes through the API.
 */
"use strict";
(() => {
  const desk = document.getElementById("desk");
  const { mentorado, csrf, conversation } = desk.dataset;
  const api = `/v1/mentorados/${mentorado}`;
  const scroll = document.getElementById("scroll"), messages = document.getElementById("messages");
  const composer = document.getElementById("composer"), replying = document.getElementById("replying");
  let quoting = null, editing = null, isFetching = false, isStale = false;

  const post = async (path, body, headers = {}) => {
    const response = await fetch(path, { method: "POST", body: JSON.stringify(body),
      headers: { "content-type": "application/json", "x-csrf-token": csrf, ...headers } });
    if (response.ok) return response.status === 204 ? null : response.json();
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail || response.statusText);
  };
  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  // The page's language, as it is written where this person lives.
  const language = document.documentElement.lang;
  const region = navigator.languages.find((each) => each.split("-")[0] === language.split("-")[0]) ?? language;

  const showTimes = (root) => {
    for (const time of root.querySelectorAll("time")) {
      const at = new Date(time.dateTime), isToday = at.toDateString() === new Date().toDateString();
      const text = at.toLocaleString(region, "exact" in time.dataset ? { dateStyle: "short", timeStyle: "short" } : isToday ? { hour: "2-digit", minute: "2-digit" } : { dateStyle: "short" });
      const exact = at.toLocaleString(region);
      if (time.textContent !== text) time.textContent = text;
      if (time.title !== exact) time.title = exact;
    }
  };

  /** What was found out here of a file, that it is gone, is true of the fresh bubble too. */
  const keepFound = (there, item) => {
    const words = there.querySelector(".gone:not([hidden])") && item.querySelector(".gone");
    if (!words) return;
    words.hidden = false;
    item.querySelector(".shown").hidden = true;
  };

  /** Bring a list to what a fresh page says: same items stay as they are, changed ones are exchanged, in its order. */
  const merge = (list, fresh, { keepsOlder = false } = {}) => {
    if (!list || !fresh) return;
    showTimes(fresh);
    const wanted = [...fresh.children], ids = new Set(wanted.map((item) => item.id));
    for (const item of [...list.children]) {
      if (!ids.has(item.id) && (!keepsOlder || item.classList.contains("empty"))) item.remove();
    }
    let after = keepsOlder ? [...list.children].filter((item) => !ids.has(item.id)).at(-1) ?? null : null;
    for (const item of wanted) {
      const there = item.id ? document.getElementById(item.id) : null;
      let placed = there;
      if (there) keepFound(there, item);
      if (!there || !(there.querySelector("#picker") || there.isEqualNode(item))) {
        placed = document.importNode(item, true);
        if (there) there.replaceWith(placed);
      }
      const place = after ? after.nextSibling : list.firstChild;
      if (placed !== place) list.insertBefore(placed, place);
      after = placed;
    }
  };

  const isAtEnd = () => !scroll || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const toEnd = () => { if (scroll) scroll.scrollTop = scroll.scrollHeight; };

  const refresh = async () => {
    if (isFetching) { isStale = true; return; }
    isFetching = true;
    do {
      isStale = false;
      try {
        const response = await fetch(`?${conversation ? `c=${conversation}` : ""}`, { headers: { accept: "text/html" }, cache: "no-store" });
        if (!response.ok || response.redirected) continue;
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const wasAtEnd = isAtEnd();
        for (const list of ["threads", "archived-threads", "chat-actions"]) merge(document.getElementById(list), page.getElementById(list));
        showArchived(page);
        showFace(page);
        merge(messages, page.getElementById("messages"), { keepsOlder: true });
        showWindow(page);
        if (wasAtEnd) toEnd();
        if (page.querySelector('[aria-current="page"] .unread')) noteRead();
      } catch { /* the card says that the gateway is away, and tells when it is back */ }
    } while (isStale);
    isFetching = false;
  };

  /** Load the page anew, the card as it is: whoever looks at a road, and may be about to press something there, stays with it. */
  let isAnew = false;
  const card = document.querySelector("recado-connection"), road = sessionStorage.getItem("recado:road");
  if (road) card?.setAttribute("road", road);
  sessionStorage.removeItem("recado:road");
  addEventListener("pagehide", () => { if (isAnew) sessionStorage.setItem("recado:road", card?.getAttribute("road") ?? ""); });
  const loadAnew = () => { isAnew = true; location.reload(); };

  /** Meta's window, as a fresh page says; where free words may not go, the composer waits behind the templates. */
  const showWindow = (page) => {
    const place = document.getElementById("window"), fresh = page.getElementById("window");
    if (!place || !fresh) return;
    const templates = document.getElementById("templates"), isOpen = fresh.dataset.isOpen === "yes";
    if (Boolean(templates) !== Boolean(page.getElementById("templates"))) return loadAnew();
    showTimes(fresh);
    if (page !== document && !place.isEqualNode(fresh)) {
      if (templates && place.dataset.isOpen !== fresh.dataset.isOpen) templates.open = !isOpen;
      place.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
      place.dataset.isOpen = fresh.dataset.isOpen;
    }
    if (composer) composer.hidden = !isOpen;
  };

  const showArchived = (page) => {
    const place = document.getElementById("archived"), fresh = page.getElementById("archived");
    if (!place || !fresh) return;
    place.hidden = fresh.hidden;
    document.getElementById("archived-count").textContent = page.getElementById("archived-count").textContent;
  };

  /** Who one writes with shows another picture, or none. */
  const showFace = (page) => {
    const place = document.querySelector("#thread > .bar > .face"), fresh = page.querySelector("#thread > .bar > .face");
    if (place && fresh && !place.isEqualNode(fresh)) place.replaceWith(document.importNode(fresh, true));
  };

  const noteRead = async () => {
    if (!conversation || document.hidden) return;
    await post(`${api}/conversations/${conversation}/read`, {}).then(refresh, () => null);
  };

  const setProblem = (form, text) => {
    const place = form.querySelector("[role=alert]");
    place.textContent = text;
    place.hidden = !text;
  };

  const stopReplying = () => {
    if (editing) composer.elements.text.value = "";
    quoting = editing = null;
    if (replying) replying.hidden = true;
  };

  /** What the composer answers or changes: shown above it, until it is sent or given up. */
  const aimAt = (label, words) => {
    replying.querySelector("span").textContent = label;
    replying.querySelector("q").textContent = words;
    replying.hidden = false;
    composer.elements.text.focus();
  };
  const wordsOf = (item) => (item.querySelector(".text, .kind")?.textContent ?? "…").trim();

  const onReply = (event) => {
    const button = event.target.closest("[data-reply]");
    if (!button || !composer) return;
    stopReplying();
    quoting = button.dataset.reply;
    aimAt(desk.dataset.replying, wordsOf(button.closest("li.bubble")));
  };

  /** The way of one message: its steps, what was told of it, and how each webhook took that. */
  const passport = document.getElementById("passport");
  const onWay = async (event) => {
    const button = event.target.closest("[data-way]");
    if (!button || !passport) return;
    const response = await fetch(`${api}/messages/${encodeURIComponent(button.dataset.way)}/passport?language=${language}`);
    if (!response.ok) return;
    const found = await response.json();
    passport.querySelector(".sum").textContent = found.sentence;
    for (const part of ["steps", "events", "webhooks"]) {
      const section = passport.querySelector(`[data-part="${part}"]`);
      section.hidden = !found[part].length;
      section.querySelector("ol").replaceChildren(...found[part].map(({ at, sentence }) => {
        const item = document.createElement("li"), time = document.createElement("time");
        [time.dateTime, time.textContent] = [at, new Date(at).toLocaleString(region)];
        item.append(time, sentence);
        return item;
      }));
    }
    passport.showModal();
  };
  messages?.addEventListener("click", onWay);

  /** One send at a time; a try that failed keeps its key, so that pressing again cannot send twice. */
  const sender = (form, bodyOf, after) => {
    let key = null, tried = "";
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const body = bodyOf(), said = JSON.stringify(body), button = form.querySelector("button.primary");
      if (body.text?.trim() === "" || button.disabled) return;
      if (said !== tried || !key) [key, tried] = [newKey(), said];
      button.disabled = true;
      setProblem(form, "");
      try {
        const accepted = await post(`${api}/messages`, body, { "idempotency-key": key });
        key = null;
        await after(accepted);
      } catch (error) {
        setProblem(form, desk.dataset.notSent.replace("{reason}", error.message));
      }
      button.disabled = false;
    });
  };

  if (composer) {
    const text = composer.elements.text;
    const fit = () => { text.style.blockSize = "auto"; text.style.blockSize = `${Math.min(text.scrollHeight + 2, 160)}px`; };
    text.addEventListener("input", fit);
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); composer.requestSubmit(); }
      if (event.key === "Escape") stopReplying();
    });
    replying.querySelector("button").addEventListener("click", stopReplying);
    messages.addEventListener("click", onReply);
    messages.addEventListener("click", (event) => {
      const button = event.target.closest('[data-do="edit"]');
      if (!button) return;
      stopReplying();
      editing = button.dataset.to;
      // A file without a caption has no words yet.
      text.value = (button.closest("li.bubble").querySelector("p.text")?.textContent ?? "").trim();
      fit();
      aimAt(desk.dataset.edit, text.value || "…");
    });
    const bodyOf = () => editing
      ? { conversation_id: conversation, content: { type: "edit", to: editing, content: { type: "text", body: text.value } } }
      : { text: text.value, conversation_id: conversation, ...(quoting ? { quoting } : {}) };
    sender(composer, bodyOf, async () => {
      text.value = "";
      fit();
      stopReplying();
      await refresh();
      toEnd();
      text.focus();
    });
    text.focus({ preventScroll: true });
  }

  // What thread.js sends for a button of a bubble, or a file that was attached.
  document.addEventListener("recado:send", async ({ detail: { content } }) => {
    try {
      await post(`${api}/messages`, { conversation_id: conversation, content }, { "idempotency-key": newKey() });
      await refresh();
      if (content.type === "media") toEnd();
    } catch (error) {
      setProblem(composer, desk.dataset.notSent.replace("{reason}", error.message));
    }
  });

  // How a template is sent: template.js makes the form and says what is in it. To a new number it begins a conversation.
  document.addEventListener("recado:template", ({ detail: { form, read } }) => {
    const to = form.elements.to;
    sender(form, () => ({ ...(to ? { to: to.value } : { conversation_id: conversation }), provider: "meta", content: read() }), async (accepted) => {
      if (to) { location.search = `?c=${accepted.conversation_id}`; return; }
      form.reset();
      await refresh();
      toEnd();
    });
  });

  const newMessage = document.getElementById("new-message");
  if (newMessage) {
    const { to, text } = newMessage.elements;
    sender(newMessage, () => ({ to: to.value, text: text.value }), async (accepted) => { location.search = `?c=${accepted.conversation_id}`; });
  }

  document.getElementById("older")?.addEventListener("click", async (event) => {
    event.preventDefault();
    const link = event.currentTarget;
    const page = new DOMParser().parseFromString(await (await fetch(link.href)).text(), "text/html");
    const before = scroll.scrollHeight, fresh = page.getElementById("messages");
    showTimes(fresh);
    for (const item of [...fresh.children].reverse()) {
      if (!document.getElementById(item.id)) messages.prepend(document.importNode(item, true));
    }
    scroll.scrollTop += scroll.scrollHeight - before;
    const next = page.getElementById("older");
    if (next) link.href = next.getAttribute("href");
    else link.parentElement.remove();
  });

  document.addEventListener("recado:event", refresh);
  document.addEventListener("recado:open", refresh);
  document.addEventListener("recado:connection", refresh);
  document.addEventListener("visibilitychange", noteRead);
  showTimes(document);
  showWindow(document);
  toEnd();
  noteRead();
})();
