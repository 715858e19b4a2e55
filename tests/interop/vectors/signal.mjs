// A Signal device made of somebody else's library, driven over JSON lines: signal.py talks to it to record vectors.
//
//   node signal.mjs libsignal|whatsapp-rust-bridge
//   → {"do": "bundle", "prekey": true}          ← {"registration_id", "identity", "signed_prekey": {…}, "prekey": {…}?}
//   → {"do": "begin", "bundle": {…}}            ← {}
//   → {"do": "seal", "plaintext"}               ← {"kind": "pkmsg" | "msg", "ciphertext"}
//   → {"do": "open", "kind", "ciphertext"}      ← {"plaintext"} or {"refused": "…"}
//
// Bytes are base64. One device, one peer. The keys of a run are fresh; the transcript holds all that is needed.
import { createInterface } from 'node:readline'

const name = process.argv[2]
const library = name === 'libsignal' ? (await import('libsignal')).default : await import(name)
const { SessionBuilder, SessionCipher, SessionRecord, ProtocolAddress } = library
const helper = name === 'libsignal' ? library.keyhelper : library
console.error = console.info = console.warn = () => {} // libsignal prints whole sessions

const bytes = (text) => Buffer.from(text, 'base64')
const text = (data) => Buffer.from(data).toString('base64')
const typed = (key) => (key.length === 33 ? Buffer.from(key) : Buffer.concat([Buffer.from([5]), key]))

const identity = helper.generateIdentityKeyPair()
const registrationId = helper.generateRegistrationId()
const signedPreKey = helper.generateSignedPreKey(identity, 7)
const preKeys = new Map([[21, helper.generatePreKey(21).keyPair]])
const peer = new ProtocolAddress('550000000002', 0)
let session

const storage = {
	loadSession: async () => (name === 'libsignal' ? session && SessionRecord.deserialize(session) : session),
	storeSession: async (_, record) => { session = record.serialize() },
	getOurIdentity: async () => identity,
	getOurRegistrationId: async () => registrationId,
	isTrustedIdentity: async () => true,
	loadPreKey: async (id) => preKeys.get(id),
	removePreKey: async (id) => { preKeys.delete(id) },
	loadSignedPreKey: async () => (name === 'libsignal' ? signedPreKey.keyPair : signedPreKey),
	loadSenderKey: async () => undefined,
	storeSenderKey: async () => {}
}

const commands = {
	bundle: async ({ prekey }) => ({
		registration_id: registrationId,
		identity: text(identity.pubKey),
		signed_prekey: { id: 7, public: text(signedPreKey.keyPair.pubKey), signature: text(signedPreKey.signature) },
		prekey: prekey ? { id: 21, public: text(preKeys.get(21).pubKey) } : null
	}),
	begin: async ({ bundle }) => {
		const { signed_prekey: signed, prekey } = bundle
		const one = prekey && { keyId: prekey.id, publicKey: typed(bytes(prekey.public)) }
		await new SessionBuilder(storage, peer).initOutgoing({
			registrationId: bundle.registration_id,
			identityKey: typed(bytes(bundle.identity)),
			signedPreKey: { keyId: signed.id, publicKey: typed(bytes(signed.public)), signature: bytes(signed.signature) },
			...(one && { preKey: one })
		})
		return {}
	},
	seal: async ({ plaintext }) => {
		const { type, body } = await new SessionCipher(storage, peer).encrypt(bytes(plaintext))
		return { kind: type === 3 ? 'pkmsg' : 'msg', ciphertext: text(body) }
	},
	open: async ({ kind, ciphertext }) => {
		const cipher = new SessionCipher(storage, peer)
		const open = kind === 'pkmsg' ? 'decryptPreKeyWhisperMessage' : 'decryptWhisperMessage'
		try {
			return { plaintext: text(await cipher[open](bytes(ciphertext))) }
		} catch (error) {
			return { refused: String(error.message ?? error) }
		}
	}
}

for await (const line of createInterface({ input: process.stdin })) {
	const command = JSON.parse(line)
	process.stdout.write(`${JSON.stringify(await commands[command.do](command))}\n`)
}
