// The extension's button runs the script in the page that is open: it says itself when that is not WhatsApp's.
chrome.action.onClicked.addListener((tab) => {
  chrome.scripting.executeScript({ target: { tabId: tab.id }, files: ["sign.js"] });
});
