/* Who has the conversation that is open, a person or the programs; and giving it back. */
import { api, ask, at, button, make, may, word } from "./page.js";

const place = document.getElementById("takeover");
const wanted = `${api}/conversations/${document.getElementById("desk").dataset.conversation}/takeover`;
let drawn = "";

const draw = (found) => {
  const state = JSON.stringify([found.taken, found.until]);
  if (state === drawn) return;
  drawn = state;
  const text = !found.taken ? word("taken.programs") : found.until ? at("taken.until", found.until) : word("taken.person");
  const change = found.taken
    ? button(word("taken.give_back"), async () => { await ask(wanted, { method: "DELETE" }); await look(); })
    : button(word("taken.take"), async () => draw(await ask(wanted, { method: "POST", body: {} })), { class: "quiet" });
  place.dataset.taken = found.taken;
  place.replaceChildren(make("span", {}, text), ...(may.send ? [change] : []));
};
const look = async () => {
  try {
    draw(await ask(wanted));
  } catch { /* the card says that the gateway is away, and tells when it is back */ }
};
document.addEventListener("recado:event", look);
document.addEventListener("recado:open", look);
look();
