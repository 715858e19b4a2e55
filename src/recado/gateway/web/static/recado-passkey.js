/*
 * Sign with a passkey on WhatsApp's own page, for a link that is being made elsewhere.
 *
 * Run it on https://web.whatsapp.com (the browser's console, or the extension in extras/passkey), paste what the connection
 * card gave to copy, confirm with the passkey, and paste what it shows back into the card. Nothing is sent anywhere: what is
 * signed comes in, and goes out, through your hands.
 */
"use strict";
(async () => {
  if (location.origin !== "https://web.whatsapp.com") {
    alert("Run this on https://web.whatsapp.com");
    return;
  }
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => (buffer ? btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "") : null);
  const given = prompt("Paste what the connection card gave you to copy:");
  if (!given) return;
  let asked;
  try {
    asked = JSON.parse(given);
  } catch {
    alert("This is not what the card gives to copy.");
    return;
  }
  const publicKey = { ...asked, challenge: bytes(asked.challenge),
    allowCredentials: (asked.allowCredentials ?? []).map((each) => ({ ...each, id: bytes(each.id) })) };
  let found;
  try {
    found = await navigator.credentials.get({ publicKey });
  } catch (error) {
    alert(`The passkey was not used: ${error.message}`);
    return;
  }
  const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
  const answer = JSON.stringify({ id: found.id, rawId: text(found.rawId), type: found.type, response: {
    clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature), userHandle: text(userHandle) } });
  prompt("Copy this, and paste it into the connection card:", answer);
})();
