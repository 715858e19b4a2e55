// One unmodified Baileys, driven over standard input and output with a JSON value a line.
//   in:  {do: "start" | "stop" | "send" | "read" | "quit", ...}
//   out: {ev: "qr" | "open" | "close" | "message" | "status" | "sent" | "failed" | "online", ...}
import makeWASocket, {
	Browsers, downloadMediaMessage, generateMessageIDV2, normalizeMessageContent, useMultiFileAuthState
} from '@whiskeysockets/baileys'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import pino from 'pino'
import { appStateActions, listenToAppState } from './appstate.mjs'
import { contentActions } from './content.mjs'
import { historyActions, listenToHistory } from './history.mjs'
import { listenToPeople, peopleActions } from './people.mjs'
import { pictureActions } from './pictures.mjs'
import { stickerActions } from './stickers.mjs'

const { RECADO_URL, RECADO_NAME, RECADO_AUTH, RECADO_LOG } = process.env
const logger = pino({ level: RECADO_LOG || 'silent' }, pino.destination(2))
// libsignal writes whole sessions to the console, and standard output is ours.
for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace']) console[name] = () => {}
const tell = value => process.stdout.write(JSON.stringify(value) + '\n')
const PENDING = 1 // Baileys' number for a message that has not left
const tellReceipt = (key, receipt) =>
	tell({ ev: 'receipt', id: key.id, chat: key.remoteJid, by: receipt.userJid, read: !!receipt.readTimestamp })
const remembered = new Map()
const received = new Map() // whole messages, for their files
let socket
let auth // read once: the files may still be being written when a connection restarts
let wanted = false

const textOf = message =>
	message?.conversation ?? message?.extendedTextMessage?.text ?? message?.deviceSentMessage?.message?.conversation

const fileOf = message => {
	const content = normalizeMessageContent(message)
	const [kind, file] = Object.entries(content).find(([, value]) => value?.mediaKey) ?? []
	return {
		kind, mime: file?.mimetype, caption: file?.caption, name: file?.fileName, seconds: file?.seconds, voice: file?.ptt,
		waveform: file?.waveform && Buffer.from(file.waveform).toString('hex'), width: file?.width, height: file?.height,
		thumbnail: file?.jpegThumbnail?.length, directPath: file?.directPath, size: Number(file?.fileLength)
	}
}

async function start() {
	wanted = true
	auth ??= await useMultiFileAuthState(RECADO_AUTH)
	const { state, saveCreds } = auth
	const current = makeWASocket({
		auth: state,
		waWebSocketUrl: RECADO_URL,
		browser: Browsers.macOS('Desktop'),
		pushName: RECADO_NAME,
		markOnlineOnConnect: true,
		syncFullHistory: false,
		appStateMacVerification: { patch: true, snapshot: true },
		logger,
		getMessage: async key => remembered.get(key.id)
	})
	socket = current
	current.ev.on('creds.update', saveCreds)
	listenToPeople(current, tell)
	listenToAppState(current, tell)
	listenToHistory(current, tell, textOf)
	current.ev.on('connection.update', update => {
		if (update.qr) tell({ ev: 'qr', qr: update.qr })
		if (update.receivedPendingNotifications) tell({ ev: 'online' })
		if (update.connection === 'open') tell({ ev: 'open', me: current.user?.id, lid: current.user?.lid })
		if (update.connection === 'close') {
			const code = update.lastDisconnect?.error?.output?.statusCode
			tell({ ev: 'close', code, reason: update.lastDisconnect?.error?.message })
			// The caller restarts after 515 in Baileys: that is its documented contract.
			// Seen busy, it hears of the end before it has read why: then it is linked and has never been open.
			if (wanted && (code === 515 || (code === 428 && state.creds.account && !state.creds.accountSyncCounter))) start()
		}
	})
	current.ev.on('messages.upsert', ({ messages, type }) => {
		for (const item of messages) {
			if (item.key.id && item.message) received.set(item.key.id, item)
			const quoted = item.message?.extendedTextMessage?.contextInfo
			tell({
				ev: 'message', type, id: item.key.id, chat: item.key.remoteJid, alt: item.key.remoteJidAlt, business: item.verifiedBizName,
				fromMe: item.key.fromMe, text: textOf(item.message), stub: item.messageStubParameters,
				quoted: quoted?.stanzaId, key: item.key, content: item.message
			})
			// What came while Baileys buffers is told within the message it belongs to, and nowhere else.
			for (const receipt of item.userReceipt ?? []) tellReceipt(item.key, receipt)
			if (item.key.fromMe && item.status > PENDING) tell({ ev: 'status', id: item.key.id, status: item.status })
		}
	})
	current.ev.on('group-participants.update', update => tell({ ev: 'members', ...update }))
	current.ev.on('groups.update', updates => { for (const update of updates) tell({ ev: 'group-changed', ...update }) })
	current.ev.on('newsletter-settings.update', ({ id, update }) => tell({ ev: 'newsletter', id, update }))
	current.ev.on('group.member-tag.update', ({ groupId, label, participant }) =>
		tell({ ev: 'label', id: groupId, label, who: participant }))
	current.ev.on('groups.upsert', groups => { for (const group of groups) tell({ ev: 'joined', id: group.id }) })
	current.ev.on('message-receipt.update', updates => {
		for (const { key, receipt } of updates) tellReceipt(key, receipt)
	})
	current.ev.on('messages.update', updates => {
		for (const { key, update } of updates) {
			if (update.status !== undefined) tell({ ev: 'status', id: key.id, status: update.status })
			if (update.message === null) tell({ ev: 'revoked', id: key.id, fromMe: key.fromMe })
			if (update.eventResponses) tell({ ev: 'answered', id: key.id, response: update.eventResponses[0].response })
			const edited = update.message?.editedMessage?.message
			if (edited) tell({ ev: 'edited', id: key.id, content: edited })
			if (update.message) tell({ ev: 'message', type: 'update', id: key.id, chat: key.remoteJid, text: textOf(update.message) })
		}
	})
	current.ev.on('messages.reaction', reactions => {
		for (const { key, reaction } of reactions) tell({ ev: 'reaction', id: key.id, fromMe: key.fromMe, text: reaction.text })
	})
	current.ev.on('chats.update', chats => {
		for (const chat of chats) {
			if ('ephemeralExpiration' in chat) tell({ ev: 'timer', chat: chat.id, seconds: chat.ephemeralExpiration })
		}
	})
}

const actions = {
	start,
	...contentActions({ tell, remembered, received, socket: () => socket }),
	...historyActions({ tell, socket: () => socket }),
	...appStateActions({ tell, socket: () => socket }),
	...peopleActions({ tell, socket: () => socket }),
	...pictureActions({ tell, received, socket: () => socket }),
	...stickerActions({ tell, received, socket: () => socket }),
	async stop() {
		wanted = false
		await socket.end(undefined)
		tell({ ev: 'stopped' })
	},
	async send({ to, text, ref, quoted }) {
		// Remembered before it leaves: the other side may ask for it again before sendMessage has returned.
		const messageId = generateMessageIDV2(socket.user?.id)
		remembered.set(messageId, { conversation: text })
		const options = { messageId }
		if (quoted) options.quoted = { key: quoted.key, message: { conversation: quoted.text } }
		const sent = await socket.sendMessage(to, { text }, options)
		tell({ ev: 'sent', ref, id: sent.key.id })
	},
	async group({ call, args, ref }) {
		const result = await socket[call](...args)
		tell({ ev: 'group', ref, result: result ?? null })
	},
	async read({ key }) {
		await socket.readMessages([key])
	},
	async flush() {
		// Behind whatever is still being written: Baileys does not wait for its own files.
		await auth.saveCreds()
		tell({ ev: 'flushed' })
	},
	async code({ phone }) {
		tell({ ev: 'code', code: await socket.requestPairingCode(phone) })
	},
	async sendFile({ to, kind, path, fields, ref }) {
		const messageId = generateMessageIDV2(socket.user?.id)
		const sent = await socket.sendMessage(to, { [kind]: { url: path }, ...fields }, { messageId })
		remembered.set(sent.key.id, sent.message)
		received.set(sent.key.id, sent)
		tell({ ev: 'sent', ref, id: sent.key.id })
	},
	async download({ id, path }) {
		const item = received.get(id)
		await pipeline(await downloadMediaMessage(item, 'stream', {}), createWriteStream(path))
		tell({ ev: 'file', id, ...fileOf(item.message) })
	},
	async askAgain({ id }) {
		await socket.updateMediaMessage(received.get(id))
		tell({ ev: 'again', id, path: fileOf(received.get(id).message).directPath })
	},
	async quit() {
		process.exit(0)
	}
}

createInterface({ input: process.stdin }).on('line', async line => {
	const command = JSON.parse(line)
	try {
		await actions[command.do](command)
	} catch (error) {
		tell({ ev: 'failed', do: command.do, ref: command.ref, reason: String(error?.message ?? error) })
	}
})
tell({ ev: 'ready' })
