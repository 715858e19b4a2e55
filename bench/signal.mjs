// The peer's half of bench/signal.py: two devices talk to each other inside Node.
//   → {"peer": "libsignal" | "baileys", "work": "encrypt" | "decrypt" | "ping-pong" | "set-up", "count": n}   ← {"seconds"}
// "libsignal" keeps its records as live objects, the best case; "baileys" is its own repository over a store in memory,
// which reads and writes a session for every message, as it does in use.
import { randomBytes } from 'node:crypto'
import { answer, baileys, require, seconds } from './jobs.mjs'

const libsignal = require('libsignal')
const { makeLibSignalRepository } = await baileys('lib/Signal/libsignal.js')
const { addTransactionCapability } = await baileys('lib/Utils/auth-utils.js')
console.error = console.info = console.warn = () => {} // libsignal prints whole sessions

const logger = { level: 'silent', child: () => logger, trace() {}, debug() {}, info() {}, warn() {}, error() {} }
const body = randomBytes(200)

function keys() {
	const identity = libsignal.keyhelper.generateIdentityKeyPair()
	const registrationId = libsignal.keyhelper.generateRegistrationId()
	const signed = libsignal.keyhelper.generateSignedPreKey(identity, 1)
	const { keyPair: prekey } = libsignal.keyhelper.generatePreKey(1)
	const bundle = {
		registrationId,
		identityKey: identity.pubKey,
		signedPreKey: { keyId: 1, publicKey: signed.keyPair.pubKey, signature: signed.signature },
		preKey: { keyId: 1, publicKey: prekey.pubKey }
	}
	return { identity, registrationId, signed, prekey, bundle }
}

function libsignalDevice() {
	const { identity, registrationId, signed, prekey, bundle } = keys()
	const records = new Map()
	const storage = {
		loadSession: async (id) => records.get(id),
		storeSession: async (id, record) => { records.set(id, record) },
		getOurIdentity: async () => identity,
		getOurRegistrationId: async () => registrationId,
		isTrustedIdentity: async () => true,
		loadPreKey: async () => prekey,
		removePreKey: async () => {},
		loadSignedPreKey: async () => signed.keyPair
	}
	const address = (name) => new libsignal.ProtocolAddress(name, 0)
	return {
		bundle,
		begin: (name, theirs) => new libsignal.SessionBuilder(storage, address(name)).initOutgoing(theirs),
		seal: async (name) => {
			const { type, body: sealed } = await new libsignal.SessionCipher(storage, address(name)).encrypt(body)
			return { type: type === 3 ? 'pkmsg' : 'msg', ciphertext: sealed }
		},
		open: (name, { type, ciphertext }) => {
			const cipher = new libsignal.SessionCipher(storage, address(name))
			return type === 'pkmsg' ? cipher.decryptPreKeyWhisperMessage(ciphertext) : cipher.decryptWhisperMessage(ciphertext)
		}
	}
}

function baileysDevice() {
	const { identity, registrationId, signed, prekey, bundle } = keys()
	const plain = (pair) => ({ private: pair.privKey, public: pair.pubKey.subarray(1) })
	const stored = { 'pre-key': { 1: plain(prekey) } }
	const memory = {
		get: async (type, ids) => Object.fromEntries(ids.map((id) => [id, stored[type]?.[id]])),
		set: async (data) => {
			for (const type of Object.keys(data)) if (type !== 'pre-key') Object.assign((stored[type] ??= {}), data[type])
		}
	}
	const creds = {
		registrationId,
		signedIdentityKey: plain(identity),
		signedPreKey: { keyId: 1, keyPair: plain(signed.keyPair), signature: signed.signature }
	}
	const options = { maxCommitRetries: 1, delayBetweenTriesMs: 0 }
	const transacted = addTransactionCapability(memory, logger, options)
	const repository = makeLibSignalRepository({ creds, keys: transacted }, logger)
	const jid = (name) => `${name}@lid`
	return {
		bundle,
		begin: (name, theirs) => repository.injectE2ESession({ jid: jid(name), session: theirs }),
		seal: (name) => repository.encryptMessage({ jid: jid(name), data: body }),
		open: (name, { type, ciphertext }) => repository.decryptMessage({ jid: jid(name), type, ciphertext })
	}
}

async function meet(ana, bia, toBia = '2', toAna = '1') {
	await ana.begin(toBia, bia.bundle)
	await bia.open(toAna, await ana.seal(toBia))
	await ana.open(toBia, await bia.seal(toAna))
}

const work = {
	encrypt: async (ana, bia, count) => { for (let i = 0; i < count; i++) await ana.seal('2') },
	decrypt: async (ana, bia, count, sealed) => { for (const one of sealed) await bia.open('1', one) },
	'ping-pong': async (ana, bia, count) => {
		for (let i = 0; i < count / 2; i++) {
			await bia.open('1', await ana.seal('2'))
			await ana.open('2', await bia.seal('1'))
		}
	},
	'set-up': async (ana, bia, count) => { for (let i = 0; i < count; i++) await meet(ana, bia, `2${i}`, `1${i}`) }
}

await answer(async job => {
	const make = job.peer === 'libsignal' ? libsignalDevice : baileysDevice
	const [ana, bia] = [make(), make()]
	await meet(ana, bia)
	const sealed = []
	if (job.work === 'decrypt') for (let i = 0; i < job.count; i++) sealed.push(await ana.seal('2'))
	const started = process.hrtime.bigint()
	await work[job.work](ana, bia, job.count, sealed)
	return { seconds: seconds(started) }
})
