/*
 * A key pressed before its script has come would be lost: what needs one stands disabled in the page, marked, and is
 * enabled once every script of the page has run.
 */
addEventListener("DOMContentLoaded", () => {
  document.documentElement.dataset.ready = "";
  for (const each of document.querySelectorAll("[data-waits]")) each.disabled = false;
});
