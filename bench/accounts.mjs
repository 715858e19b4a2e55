// Unmodified Baileys, linked to phones of an emulated world, with their keys in memory.
import { baileys } from './jobs.mjs'

const { default: makeWASocket, Browsers, initAuthCreds } = await baileys()
for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace']) console[name] = () => {} // libsignal prints sessions

const logger = { level: 'silent', child: () => logger, trace() {}, debug() {}, info() {}, warn() {}, error() {} }

function memory() {
	const kept = {}
	return {
		get: async (type, ids) => Object.fromEntries(ids.map(id => [id, kept[type]?.[id]]).filter(([, value]) => value)),
		set: async data => {
			for (const type of Object.keys(data)) Object.assign((kept[type] ??= {}), data[type])
		}
	}
}

/** A socket that is linked to the phone of that name, and has heard everything that waited. */
export function linked({ url, control, phone, sent = new Map(), onMessages = () => {} }) {
	const auth = { creds: initAuthCreds(), keys: memory() }
	return new Promise((resolve, reject) => {
		const start = () => {
			const current = makeWASocket({
				auth, logger, waWebSocketUrl: url, browser: Browsers.macOS('Desktop'), pushName: phone,
				syncFullHistory: false, getMessage: async key => sent.get(key.id)
			})
			current.ev.on('creds.update', update => Object.assign(auth.creds, update))
			current.ev.on('messages.upsert', ({ messages }) => onMessages(messages))
			current.ev.on('connection.update', update => {
				if (update.qr) fetch(`${control}/admin/mock-phone/scan-qr`, { method: 'POST', body: update.qr }).catch(reject)
				if (update.receivedPendingNotifications) resolve(current)
				if (update.connection !== 'close') return
				const code = update.lastDisconnect?.error?.output?.statusCode
				if (code === 515) start() // the caller restarts: its documented contract
				else reject(new Error(`closed: ${code}`))
			})
		}
		start()
	})
}
