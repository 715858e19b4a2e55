/*
 * What a bubble can do beside being read: react, delete for everyone, play its file; and the file that goes with the
 * composer. Sending is conversation.js's.
 */
"use strict";
(() => {
  const desk = document.getElementById("desk"), messages = document.getElementById("messages");
  const { mentorado, csrf } = desk.dataset;
  const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
  if (!messages) return;

  const send = (content) => document.dispatchEvent(new CustomEvent("recado:send", { detail: { content } }));

  const closePicker = () => document.getElementById("picker")?.remove();
  const pick = (button) => {
    const wasOpen = document.getElementById("picker")?.dataset.to === button.dataset.to;
    closePicker();
    if (wasOpen) return;
    const picker = document.createElement("span");
    [picker.id, picker.className, picker.dataset.to] = ["picker", "picker", button.dataset.to];
    picker.setAttribute("role", "group");
    picker.setAttribute("aria-label", button.getAttribute("aria-label"));
    for (const emoji of EMOJI) {
      const one = document.createElement("button");
      [one.type, one.textContent] = ["button", emoji];
      one.addEventListener("click", () => { closePicker(); send({ type: "reaction", to: button.dataset.to, emoji }); });
      picker.append(one);
    }
    button.after(picker);
    picker.firstElementChild.focus();
  };

  messages.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button?.dataset.do === "react") pick(button);
    else if (button?.dataset.do === "revoke" && window.confirm(desk.dataset.sure)) send({ type: "revoke", to: button.dataset.to });
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closePicker(); });

  // A file that cannot be had says so in words; errors of files do not bubble, so they are caught on their way down.
  messages.addEventListener("error", (event) => {
    const file = event.target;
    if (!file.matches?.("[data-file]")) return;
    const shown = file.closest("a.shown") ?? file, words = shown.parentElement.querySelector(".gone");
    shown.hidden = true;
    if (words) words.hidden = false;
  }, true);

  const attach = document.getElementById("attach"), input = document.getElementById("file");
  const kindOf = (type) => ["image", "video", "audio"].find((kind) => type.startsWith(`${kind}/`)) ?? "document";
  const upload = async (file) => {
    const type = file.type || "application/octet-stream", place = document.querySelector("#composer [role=alert]");
    const response = await fetch(`/v1/mentorados/${mentorado}/media?file_name=${encodeURIComponent(file.name)}`, {
      method: "POST", body: file, headers: { "content-type": type, "x-csrf-token": csrf } });
    const told = await response.json().catch(() => ({}));
    if (!response.ok) {
      place.textContent = desk.dataset.notSent.replace("{reason}", told.detail || response.statusText);
      place.hidden = false;
      return;
    }
    const kind = kindOf(type), text = document.getElementById("text"), caption = kind === "audio" ? "" : text.value.trim();
    if (caption) text.value = "";
    send({ type: "media", kind, reference: told.id, mime_type: type, file_name: file.name, ...(caption ? { caption } : {}) });
  };
  attach?.addEventListener("click", () => input.click());
  input?.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    attach.disabled = true;
    try { await upload(file); } finally { attach.disabled = false; input.value = ""; }
  });
})();
