/*
 * The open group's members and link, or the open channel: each button asks WhatsApp by a request, and waits for its answer.
 * What one person's settings do not allow is said beside, in WhatsApp's stead.
 */
"use strict";
(() => {
  const { mentorado, csrf, conversation } = document.getElementById("desk").dataset;
  const panel = document.getElementById("group");
  if (!panel) return;
  const problem = panel.querySelector("[role=alert]"), status = panel.querySelector("[role=status]");
  const link = document.getElementById("group-link");

  const ask = async (path, body) => {
    const response = await fetch(`/v1/mentorados/${mentorado}/conversations/${conversation}/${panel.dataset.about}/${path}`, {
      method: "POST", body: body && JSON.stringify(body),
      headers: { "content-type": "application/json", "x-csrf-token": csrf, prefer: "wait=20" } });
    const told = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(told.detail || response.statusText);
    if (told.problem) throw new Error(told.problem);
    if (!told.answered_at) return null;
    const failed = (told.answer?.people ?? []).find((each) => !each.done);
    if (failed) throw new Error(panel.dataset[`not${failed.code}`] ?? failed.problem);
    return told.answer;
  };

  const trying = async (button, work) => {
    button.disabled = true;
    problem.hidden = status.hidden = true;
    try {
      const answer = await work();
      [status.textContent, status.hidden] = [status.dataset.waiting, answer !== null];
      if (answer?.link) {
        const place = link.querySelector("a");
        [place.href, place.textContent, link.hidden] = [answer.link, answer.link, false];
      } else if (answer) {
        sessionStorage.setItem("recado:group", conversation);
        location.reload();
      }
    } catch (error) {
      [problem.textContent, problem.hidden] = [error.message, false];
    }
    button.disabled = false;
  };

  panel.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-group], [data-remove]");
    if (!button || (button.dataset.sure && !window.confirm(button.dataset.sure))) return;
    if (button.dataset.group) trying(button, () => ask(button.dataset.group));
    else trying(button, () => ask("members", { do: "remove", people: [button.dataset.remove] }));
  });
  document.getElementById("add-member")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    trying(form.querySelector("button"), () => ask("members", { do: "add", people: [form.elements.who.value] }));
  });
  if (sessionStorage.getItem("recado:group") === conversation) {
    panel.open = true;
    sessionStorage.removeItem("recado:group");
  }
})();
