/*
 * Forms of templates: the chosen one's text, and a field for each value it wants: in its header, its body and its
 * buttons. A file for the header is uploaded as soon as it is chosen. Sending is conversation.js's.
 */
"use strict";
(() => {
  const begin = (form) => {
    const choice = form.elements.name, body = form.querySelector(".body"), places = form.querySelector(".places");
    const send = form.querySelector("button.primary"), problem = form.querySelector("[role=alert]");
    const { mentorado, csrf } = form.dataset;
    const chosen = () => choice.selectedOptions[0].dataset;
    let uploaded = null;

    const field = (part, text, attributes = {}) => {
      const label = document.createElement("label"), input = document.createElement("input");
      Object.assign(input, { required: true, autocomplete: "off" }, attributes);
      input.dataset.part = part;
      label.append(text, " ", input);
      return label;
    };
    const upload = async ({ target }) => {
      const [file] = target.files;
      uploaded = null;
      problem.hidden = true;
      if (!file) return;
      send.disabled = true;
      const type = file.type || "application/octet-stream";
      const response = await fetch(`/v1/mentorados/${mentorado}/media?file_name=${encodeURIComponent(file.name)}`, {
        method: "POST", body: file, headers: { "content-type": type, "x-csrf-token": csrf } });
      const told = await response.json().catch(() => ({}));
      if (response.ok) uploaded = { kind: chosen().header.toLowerCase(), reference: told.id, mime_type: type, file_name: file.name };
      else [problem.textContent, problem.hidden, target.value] = [told.detail || response.statusText, false, ""];
      send.disabled = false;
    };
    const show = () => {
      const { header, headerText, headerPlaces, buttons } = chosen();
      uploaded = null;
      body.textContent = [headerText, chosen().body].filter(Boolean).join("\n");
      body.hidden = !body.textContent;
      const fields = [];
      if (["IMAGE", "VIDEO", "DOCUMENT"].includes(header)) {
        const file = field("file", form.dataset.file, { type: "file", accept: header === "DOCUMENT" ? "" : `${header.toLowerCase()}/*` });
        file.querySelector("input").addEventListener("change", upload);
        fields.push(file);
      } else if (Number(headerPlaces)) fields.push(field("header", form.dataset.title));
      for (let place = 1; place <= Number(chosen().places); place++) fields.push(field("body", form.dataset.place.replace("{place}", place)));
      for (const button of JSON.parse(buttons)) {
        const one = field("button", form.dataset.button.replace("{button}", button.text || button.index + 1));
        Object.assign(one.querySelector("input").dataset, { index: button.index, kind: button.kind });
        fields.push(one);
      }
      places.replaceChildren(...fields);
    };
    const values = (part) => [...places.querySelectorAll(`[data-part="${part}"]`)];
    const read = () => ({ type: "template", name: choice.value, language: chosen().language,
      body: values("body").map((input) => input.value), ...(values("header").length ? { header: values("header")[0].value } : {}),
      ...(uploaded ? { header_media: uploaded } : {}),
      buttons: values("button").map(({ value, dataset: { index, kind } }) => ({ index: Number(index), kind, value })) });

    choice.addEventListener("change", show);
    form.addEventListener("reset", () => setTimeout(show));
    show();
    document.dispatchEvent(new CustomEvent("recado:template", { detail: { form, read } }));
  };
  document.querySelectorAll(".template-form").forEach(begin);
})();
