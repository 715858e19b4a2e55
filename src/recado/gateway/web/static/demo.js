/* The demo's simulated phones: one that scans, and people who write and read. */
"use strict";
(() => {
  const desk = document.getElementById("desk"), panel = document.getElementById("demo");
  const root = `/demo/${desk.dataset.mentorado}`, problem = panel.querySelector(":scope > .problem");
  const scan = document.getElementById("scan"), note = document.getElementById("scan-note");
  const region = navigator.languages.find((each) => each.split("-")[0] === document.documentElement.lang.split("-")[0]);
  let qr = null;

  const call = async (path, body) => {
    problem.hidden = true;
    const response = await fetch(`${root}${path}`, body === undefined ? { cache: "no-store" } : { method: "POST", body: JSON.stringify(body),
      headers: { "content-type": "application/json", "x-csrf-token": desk.dataset.csrf } });
    if (response.ok) return response.status === 204 ? null : response.json();
    problem.textContent = (await response.json().catch(() => ({}))).detail || response.statusText;
    problem.hidden = false;
    throw new Error(problem.textContent);
  };

  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const TICKS = { pending: "◷", sent: "✓", delivered: "✓✓", read: "✓✓", refused: "✕" };

  const bubble = (told) => {
    const item = make("li", told.from_me ? "mine" : "theirs");
    item.id = `p-${told.id}`;
    const text = make("span", "said", told.text);
    text.dir = "auto";
    const meta = make("span", "meta", new Date(told.at).toLocaleTimeString(region, { hour: "2-digit", minute: "2-digit" }));
    if (told.from_me) {
      const ticks = make("b", "ticks", TICKS[told.ticks] ?? "");
      ticks.dataset.ticks = told.ticks;
      meta.append(" ", ticks);
    }
    if (told.times > 1) meta.append(" ", make("b", "times", panel.dataset.times.replace("{times}", told.times)));
    item.append(text, meta);
    return item;
  };

  const show = async (person) => {
    const told = await call(`/people/${encodeURIComponent(person.dataset.person)}`).catch(() => null);
    if (!told) return;
    const screen = person.querySelector(".screen"), isNew = screen.childElementCount !== told.length;
    screen.replaceChildren(...(told.length ? told.map(bubble) : [make("li", "empty", screen.dataset.empty)]));
    if (isNew) screen.scrollTop = screen.scrollHeight;
  };

  const people = [...panel.querySelectorAll(".person")];
  const showAll = () => Promise.all(people.map(show));

  for (const person of people) {
    const path = `/people/${encodeURIComponent(person.dataset.person)}`, text = person.querySelector("textarea");
    const say = person.querySelector("form");
    say.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!text.value.trim()) return;
      await call(`${path}/say`, { text: text.value }).then(() => { text.value = ""; }, () => null);
      await show(person);
    });
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); say.requestSubmit(); }
    });
    person.querySelector(".read").addEventListener("click", () => call(`${path}/read`, {}).then(() => show(person), () => null));
  }

  scan.addEventListener("click", async () => {
    scan.disabled = true;
    await call("/scan", { qr }).catch(() => { scan.disabled = false; });
  });

  document.addEventListener("recado:connection", (event) => {
    const { provider, state, step } = event.detail;
    if (provider !== "baileys") return;
    qr = step?.kind === "qr" ? step.text : null;
    scan.disabled = !qr;
    scan.hidden = state === "connected";
    note.textContent = state === "connected" ? panel.dataset.done : panel.dataset.wait;
    note.hidden = Boolean(qr);
    showAll();
  });
  document.addEventListener("recado:event", showAll);
  showAll();
})();
