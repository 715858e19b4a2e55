/*
 * What the pages of operations share: asking the API as the browser's session, words, and small pieces of a page with
 * their states (loading, empty, gone wrong). Every text is set as text; nothing here parses markup.
 */
const WORDS = "words go here";
const frame = document.querySelector("[data-csrf]");
export const mentorado = frame.dataset.mentorado ?? null;
export const api = `/v1/mentorados/${mentorado}`;
export const may = { manage: frame.dataset.may.includes("manage"), send: frame.dataset.may.includes("send") };
export const language = document.documentElement.lang;
// The page's language, as it is written where this person lives.
export const region = navigator.languages.find((each) => each.split("-")[0] === language.split("-")[0]) ?? language;

/** The text of that key, or nothing where there is none; of a `count` of one, the text for one. */
export const word = (key, values = {}) => ((values.count === 1 && WORDS[language]?.[`${key}.one`]) || (WORDS[language] ?? WORDS.en)[key])?.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
/** The text of that key, or `other` (what the API itself said). */
export const wordOr = (key, other, values) => word(key, values) ?? String(other);

/** Every text whose key begins so, in English and in the page's language. */
export const everyPair = (prefix) => Object.keys(WORDS.en).filter((key) => key.startsWith(prefix))
  .map((key) => [WORDS.en[key], word(key)]);

export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
};

/** One request of the API. Throws an Error whose message is for a person, with the `status`. */
export const ask = async (path, { method = "GET", body, wait = 0 } = {}) => {
  const headers = { accept: "application/json", ...(wait ? { prefer: `wait=${wait}` } : {}) };
  if (method !== "GET") headers["x-csrf-token"] = frame.dataset.csrf;
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new Error(word("page.offline"));
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => ({}));
  const reason = response.status === 401 ? word("page.signed_out") : problem.detail || problem.title || response.statusText;
  throw Object.assign(new Error(reason), { status: response.status });
};

export const number = (count) => count.toLocaleString(region);

/** A moment: today's as a time of day, another day's with its date. */
export const moment = (text) => {
  const at = new Date(text), isToday = at.toDateString() === new Date().toDateString();
  return at.toLocaleString(region, isToday ? { hour: "2-digit", minute: "2-digit" } : { dateStyle: "short", timeStyle: "short" });
};
export const time = (text) => make("time", { datetime: text, title: new Date(text).toLocaleString(region) }, moment(text));
/** A sentence with a moment in it, as text. */
export const at = (key, text) => word(key, { time: moment(text) });

export const pill = (tone, text) => make("span", { class: "pill", "data-tone": tone }, text);
export const nothing = (text) => make("p", { class: "empty" }, text);
export const items = (list, draw, none) => (list.length ? make("ul", { class: "items" }, list.map(draw)) : nothing(none));

/** A part of the page with its states; the function it gives reads and draws it (again). */
export const part = (name, load, draw) => {
  const place = document.querySelector(`[data-part="${name}"]`);
  let newest = 0;
  const refresh = async () => {
    if (!place) return;
    const mine = ++newest, focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    place.setAttribute("aria-busy", "true");
    if (!place.hasChildNodes()) place.append(make("p", { class: "empty" }, word("page.loading")));
    let shown;
    try {
      shown = [draw(await load())].flat();
    } catch (error) {
      const retry = make("button", { type: "button", onclick: refresh }, word("page.retry"));
      shown = [make("p", { class: "problem", role: "alert" }, word("page.failed", { reason: error.message })), retry];
    }
    if (mine !== newest) return;
    place.replaceChildren(...shown);
    place.removeAttribute("aria-busy");
    if (focused) document.getElementById(focused)?.focus();
  };
  return refresh;
};

let said = null;
/** Tell how something went, at the foot of the page. */
export const say = (text, isBad = false) => {
  said?.remove();
  said = make("p", { class: "toast", role: isBad ? "alert" : "status", "data-tone": isBad ? "bad" : "good" }, text);
  document.body.append(said);
  const mine = said;
  setTimeout(() => mine.remove(), isBad ? 12000 : 5000);
};

/** A button that does something: once at a time, and it says so when that fails. */
export const button = (text, work, attributes = {}) => make("button", { type: "button", ...attributes,
  onclick: (event) => doing(event.currentTarget, work) }, text);
export const doing = async (pressed, work) => {
  if (pressed.disabled) return;
  pressed.disabled = true;
  try {
    await work();
  } catch (error) {
    say(error.message, true);
  }
  pressed.disabled = false;
};

const dialog = (title, parts, buttons) => new Promise((done) => {
  const box = make("dialog", { class: "box", "aria-labelledby": "box-title" }, make("h2", { id: "box-title" }, title), parts,
    make("form", { method: "dialog", class: "buttons" }, buttons));
  box.addEventListener("close", () => { box.remove(); done(box.returnValue); });
  document.body.append(box);
  box.showModal();
});

/** Ask before something that is not undone. */
export const sure = async (title, parts, yes) => await dialog(title, parts, [
  make("button", { value: "" }, word("page.no")), make("button", { value: "yes", class: "primary" }, yes)]) === "yes";

/** Show a secret, this once. */
export const reveal = (title, text, secret) => dialog(title, [make("p", {}, text), make("code", { class: "key" }, secret),
  button(word("page.copy"), async () => { await navigator.clipboard.writeText(secret); say(word("page.copied")); })],
  [make("button", { value: "", class: "primary" }, word("page.kept"))]);

/** A form that is sent by us: one send at a time; what went wrong stands in it. */
export const onSubmit = (form, work) => form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const pressed = form.querySelector("button.primary"), place = form.querySelector("[role=alert]");
  if (pressed.disabled) return;
  pressed.disabled = true;
  place.hidden = true;
  try {
    await work(form.elements);
  } catch (error) {
    [place.textContent, place.hidden] = [error.message, false];
  }
  pressed.disabled = false;
});

// On a phone the tabs scroll sideways: bring the one that is open into view.
const tabs = document.querySelector(".tabs"), open = tabs?.querySelector("[aria-current]");
if (open) tabs.scrollLeft = open.offsetLeft - (tabs.clientWidth - open.offsetWidth) / 2;
