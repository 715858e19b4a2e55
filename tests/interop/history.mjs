// What peer.mjs does and tells of the past: parts of the history, more of it, and messages the phone gives once more.
//   in:  {do: "older", count, key, at, ref} | {do: "placeholder", key, ref}     out: {ev: "asked", ref, id}
//   out: {ev: "history", kind, progress, chunk, request, messages, chats} | {ev: "given", request, id, text}
//
// Baileys fetches history from WhatsApp's own host whatever the server says, so that name leads to the emulator's files
// here, as an entry in a hosts file would; certificates are checked against the emulator's authority all the same.
const WHATSAPP = 'mmg.whatsapp.net'
const fetched = globalThis.fetch
globalThis.fetch = (url, options) => fetched(String(url).replace(`https://${WHATSAPP}/`, `https://${process.env.RECADO_FILES}/`), options)

export const historyActions = ({ tell, socket }) => ({
	async older({ count, key, at, ref }) {
		tell({ ev: 'asked', ref, id: await socket().fetchMessageHistory(count, key, at) })
	},
	async placeholder({ key, ref }) {
		tell({ ev: 'asked', ref, id: await socket().requestPlaceholderResend(key) })
	}
})

export const listenToHistory = (current, tell, textOf) => {
	current.ev.on('messaging-history.set', set => tell({
		ev: 'history', kind: set.syncType, progress: set.progress, chunk: set.chunkOrder, request: set.peerDataRequestSessionId,
		messages: set.messages.length, texts: set.messages.slice(0, 50).map(item => textOf(item.message)),
		ids: set.messages.slice(0, 50).map(item => item.key.id), chats: set.chats.map(chat => chat.id),
		names: set.contacts.map(contact => contact.name ?? contact.notify).filter(Boolean)
	}))
	current.ev.on('messages.upsert', ({ messages, requestId }) => {
		if (requestId) for (const item of messages) tell({ ev: 'given', request: requestId, id: item.key.id, text: textOf(item.message) })
	})
}
