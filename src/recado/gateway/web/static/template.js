/* The composer's templates: the chosen one's text, and a field for each place in it. Sending is conversation.js's. */
"use strict";
(() => {
  const form = document.getElementById("template");
  if (!form) return;
  const choice = form.elements.name, body = form.querySelector(".body"), places = form.querySelector(".places");
  const chosen = () => choice.selectedOptions[0];

  const field = (number) => {
    const label = document.createElement("label"), input = document.createElement("input");
    input.required = true;
    input.autocomplete = "off";
    label.append(form.dataset.place.replace("{place}", number), " ", input);
    return label;
  };
  const show = () => {
    body.textContent = chosen().dataset.body;
    body.hidden = !body.textContent;
    places.replaceChildren(...Array.from({ length: Number(chosen().dataset.places) }, (_, place) => field(place + 1)));
  };

  choice.addEventListener("change", show);
  form.addEventListener("reset", () => setTimeout(show));
  show();
  document.dispatchEvent(new CustomEvent("recado:template", { detail: { form, read: () => ({ type: "template", name: choice.value,
    language: chosen().dataset.language, body: [...places.querySelectorAll("input")].map((input) => input.value) }) } }));
})();
