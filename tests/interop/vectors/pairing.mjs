// Completes tests/protocol/vectors/pairing.json with the unmodified Baileys: its answer to identities recado issued, its
// own QR text, and its registration and login payloads.
//   node tests/interop/vectors/pairing.mjs           (from the repository's root, after npm ci in tests/interop)
// What recado made stands under "ours" and is read, not written. Keys are SHA-256 of a label; the numbers are invented.
import { readFileSync, writeFileSync } from 'node:fs'
import { Browsers, configureSuccessfulPairing, Curve, DEFAULT_CONNECTION_CONFIG, generateLoginNode,
	generateRegistrationNode, generateSignalPubKey, hmacSign, proto, sha256 } from '@whiskeysockets/baileys'
import { buildPairingQRData } from '@whiskeysockets/baileys/lib/Utils/companion-reg-client-utils.js'
import curve from 'libsignal/src/curve.js'

const FILE = new URL('../../protocol/vectors/pairing.json', import.meta.url)
const bytes = (label, size = 32) => {
	let out = Buffer.alloc(0)
	for (let i = 0; out.length < size; i++) out = Buffer.concat([out, sha256(Buffer.from(`${label} ${i}`))])
	return out.subarray(0, size)
}
const pair = label => {
	const secret = bytes(label)
	secret[0] &= 248
	secret[31] = (secret[31] & 127) | 64
	const base = Buffer.alloc(32)
	base[0] = 9
	return { private: secret, public: Buffer.from(Curve.sharedKey(secret, base)) }
}
const hex = value => Buffer.from(value).toString('hex')
const b64 = value => Buffer.from(value).toString('base64')

// As shipped, Baileys ignores what libsignal answers about a signature; heed it.
Curve.verify = (key, message, signature) => {
	try {
		return curve.verifySignature(generateSignalPubKey(key), message, signature) === true
	} catch {
		return false
	}
}

const { ours } = JSON.parse(readFileSync(FILE, 'utf8'))
const companion = pair('companion')
const noise = pair('noise')
const secret = bytes('adv')

const answer = (issued, identity = companion) => {
	const content = [
		{ tag: 'device-identity', attrs: {}, content: Buffer.from(issued, 'hex') },
		{ tag: 'platform', attrs: { name: 'android' } },
		{ tag: 'device', attrs: { jid: '550000000001:7@s.whatsapp.net', lid: '100000000000001:7@lid' } }
	]
	const stanza = { tag: 'iq', attrs: { id: 'ps1' }, content: [{ tag: 'pair-success', attrs: {}, content }] }
	const { reply, creds } = configureSuccessfulPairing(stanza,
		{ advSecretKey: b64(secret), signedIdentityKey: identity, signalIdentities: [] })
	const signed = reply.content[0].content[0]
	return {
		key_index: signed.attrs['key-index'],
		reply: hex(signed.content),
		full: hex(proto.ADVSignedDeviceIdentity.encode(creds.account).finish())
	}
}
const refusal = (issued, identity) => {
	try {
		answer(issued, identity)
	} catch (error) {
		return { issued, message: error.message }
	}
	throw new Error('Baileys took what it should refuse')
}
const tampered = change => {
	const sealed = proto.ADVSignedDeviceIdentityHMAC.decode(Buffer.from(ours.plain, 'hex'))
	change(sealed)
	return hex(proto.ADVSignedDeviceIdentityHMAC.encode(sealed).finish())
}

const config = (browser, more = {}) => ({ ...DEFAULT_CONNECTION_CONFIG, browser, ...more })
const keys = {
	registrationId: 0x1234,
	signedIdentityKey: companion,
	signedPreKey: { keyId: 5, keyPair: pair('signed prekey'), signature: bytes('signature', 64) }
}
const payload = node => hex(proto.ClientPayload.encode(node).finish())
const desktop = Browsers.macOS('Desktop')

const wrongSignature = tampered(sealed => {
	const signed = proto.ADVSignedDeviceIdentity.decode(sealed.details)
	signed.accountSignature[3] ^= 1
	sealed.details = proto.ADVSignedDeviceIdentity.encode(signed).finish()
	sealed.hmac = hmacSign(sealed.details, secret)
})
const wrongHmac = tampered(sealed => { sealed.hmac[0] ^= 1 })
writeFileSync(FILE, JSON.stringify({
	ours,
	companion: hex(companion.private),
	adv_secret: hex(secret),
	account: hex(pair('account').private),
	baileys: {
		plain: answer(ours.plain),
		hosted: answer(ours.hosted),
		refuses: {
			wrong_hmac: refusal(wrongHmac),
			wrong_signature: refusal(wrongSignature),
			another_device: refusal(ours.plain, pair('another'))
		},
		qr: {
			desktop: buildPairingQRData('2@ref', b64(noise.public), b64(companion.public), b64(secret), desktop),
			chrome: buildPairingQRData('2@ref', b64(noise.public), b64(companion.public), b64(secret), Browsers.ubuntu('Chrome'))
		},
		noise_public: hex(noise.public),
		companion_public: hex(companion.public),
		registration: payload(generateRegistrationNode(keys, config(desktop))),
		registration_chrome: payload(generateRegistrationNode(keys, config(Browsers.ubuntu('Chrome'), { syncFullHistory: false }))),
		login: payload(generateLoginNode('550000000001:7@s.whatsapp.net', config(desktop, { pushName: 'Ana' })))
	}
}, null, 1) + '\n')
