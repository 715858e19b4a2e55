// The peer's half of bench/groups.py: Baileys' own repository over a store in memory, as it is in use.
//   → {"work": "encrypt" | "decrypt", "count": n}   ← {"seconds"}
import { randomBytes } from 'node:crypto'
import { answer, baileys, require, seconds } from './jobs.mjs'

const libsignal = require('libsignal')
const { makeLibSignalRepository } = await baileys('lib/Signal/libsignal.js')
const { addTransactionCapability } = await baileys('lib/Utils/auth-utils.js')
console.error = console.info = console.warn = () => {}

const logger = { level: 'silent', child: () => logger, trace() {}, debug() {}, info() {}, warn() {}, error() {} }
const body = randomBytes(200)
const GROUP = '120360000000000001@g.us', AUTHOR = '100000000000001:2@lid'

function device() {
	const identity = libsignal.keyhelper.generateIdentityKeyPair()
	const signed = libsignal.keyhelper.generateSignedPreKey(identity, 1)
	const plain = pair => ({ private: pair.privKey, public: pair.pubKey.subarray(1) })
	const stored = {}
	const memory = {
		get: async (type, ids) => Object.fromEntries(ids.map(id => [id, stored[type]?.[id]])),
		set: async data => { for (const type of Object.keys(data)) Object.assign((stored[type] ??= {}), data[type]) }
	}
	const creds = {
		registrationId: libsignal.keyhelper.generateRegistrationId(),
		signedIdentityKey: plain(identity),
		signedPreKey: { keyId: 1, keyPair: plain(signed.keyPair), signature: signed.signature }
	}
	const keys = addTransactionCapability(memory, logger, { maxCommitRetries: 1, delayBetweenTriesMs: 0 })
	return makeLibSignalRepository({ creds, keys }, logger)
}

await answer(async ({ work, count }) => {
	const [author, reader] = [device(), device()]
	const seal = () => author.encryptGroupMessage({ group: GROUP, meId: AUTHOR, data: body })
	const first = await seal()
	await reader.processSenderKeyDistributionMessage({
		item: { groupId: GROUP, axolotlSenderKeyDistributionMessage: first.senderKeyDistributionMessage },
		authorJid: AUTHOR
	})
	const sealed = []
	if (work === 'decrypt') for (let turn = 0; turn < count; turn++) sealed.push((await seal()).ciphertext)
	const started = process.hrtime.bigint()
	if (work === 'encrypt') for (let turn = 0; turn < count; turn++) await seal()
	for (const msg of sealed) await reader.decryptGroupMessage({ group: GROUP, authorJid: AUTHOR, msg })
	return { seconds: seconds(started) }
})
