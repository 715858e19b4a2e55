// Makes tests/protocol/vectors/{crypto,noise}.json with the unmodified Baileys, libsignal and whatsapp-rust-bridge.
//   node tests/interop/vectors/noise.mjs             (from the repository's root, after npm ci in tests/interop)
// Keys are SHA-256 of a label, so a second run writes the same bytes, but for the bridge's signatures, which are
// randomised. The signatures that crypto.json holds under
// "ours" were made by recado; they are handed to both verifiers here, and a refused one stops the script.
import { readFileSync, writeFileSync, existsSync } from 'node:fs'
import { Curve, generateSignalPubKey, hkdf, hmacSign, makeNoiseHandler, NOISE_WA_HEADER, proto, sha256,
	aesEncryptGCM, aesDecryptGCM, aesEncrypWithIV, encodeBinaryNode, WA_CERT_DETAILS } from '@whiskeysockets/baileys'
import curve from 'libsignal/src/curve.js'
import { calculateSignature, verifySignature } from 'whatsapp-rust-bridge'

const FOLDER = new URL('../../protocol/vectors/', import.meta.url)
const EMPTY = Buffer.alloc(0)
const bytes = (label, size = 32) => {
	let out = EMPTY
	for (let i = 0; out.length < size; i++) out = Buffer.concat([out, sha256(Buffer.from(`${label} ${i}`))])
	return out.subarray(0, size)
}
const pair = label => {
	const secret = bytes(label)
	secret[0] &= 248
	secret[31] = (secret[31] & 127) | 64
	// libsignal's own "public from private" sets bits of its own; X25519 with the base point does not.
	const base = Buffer.alloc(32)
	base[0] = 9
	return { private: secret, public: Curve.sharedKey(secret, base) }
}
const hex = value => Buffer.isBuffer(value) || value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
const plain = value => JSON.parse(JSON.stringify(value, (_, v) =>
	v?.type === 'Buffer' ? Buffer.from(v.data).toString('hex') : hex(v)))
const write = (name, value) => writeFileSync(new URL(name, FOLDER), JSON.stringify(plain(value), null, 1) + '\n')
const libsignalAccepts = (publicKey, message, signature) => {
	try {
		return curve.verifySignature(generateSignalPubKey(publicKey), message, signature) === true
	} catch {
		return false
	}
}
const bridgeAccepts = (publicKey, message, signature) => {
	try {
		return verifySignature(generateSignalPubKey(publicKey), message, signature) === true
	} catch {
		return false
	}
}

// As shipped, Baileys ignores what libsignal answers about a certificate; heed it, and trust our root.
Curve.verify = libsignalAccepts

function cryptoVectors() {
	const signatures = []
	for (let i = 0; i < 24; i++) {
		const { private: secret, public: publicKey } = pair(`signer ${i}`)
		const message = bytes(`message ${i}`, i * 7 || 1)
		for (const [by, signature] of [['libsignal', curve.calculateSignature(secret, message)],
			['whatsapp-rust-bridge', Buffer.from(calculateSignature(secret, message))]])
			signatures.push({ by, private: secret, public: publicKey, message, signature })
	}
	const agreements = [0, 1, 2, 3].map(i => {
		const ours = pair(`agree a${i}`), theirs = pair(`agree b${i}`)
		return { private: ours.private, public: theirs.public, secret: Curve.sharedKey(ours.private, theirs.public) }
	})
	const derivations = [[0, 64, 32, ''], [32, 32, 0, 'adv_secret'], [32, 112, 32, 'WhatsApp Image Keys'], [64, 80, 32, 'x']]
		.map(([size, wanted, saltSize, info], i) => {
			const secret = bytes(`secret ${i}`, size), salt = bytes(`salt ${i}`, saltSize)
			return { secret, salt, info, key: Buffer.from(hkdf(secret, wanted, { salt, info })) }
		})
	const gcm = [0, 1, 200].map(size => {
		const key = bytes('gcm key'), nonce = bytes('nonce', 12), plaintext = bytes('plain', size), aad = bytes('aad', size % 7)
		return { key, nonce, plaintext, aad, ciphertext: aesEncryptGCM(plaintext, key, nonce, aad) }
	})
	const cbc = [0, 1, 15, 16, 17, 200].map(size => {
		const key = bytes('cbc key'), iv = bytes('iv', 16), plaintext = bytes('plain', size)
		return { key, iv, plaintext, ciphertext: aesEncrypWithIV(plaintext, key, iv) }
	})
	const macs = [0, 1, 200].map(size => {
		const key = bytes('mac key'), message = bytes('maced', size)
		return { key, message, mac: hmacSign(message, key) }
	})
	const file = new URL('crypto.json', FOLDER)
	const ours = (existsSync(file) ? JSON.parse(readFileSync(file)).ours ?? [] : []).map(one => {
		const [publicKey, message, signature] = [one.public, one.message, one.signature].map(v => Buffer.from(v, 'hex'))
		const tampered = Buffer.from(signature)
		tampered[5] ^= 1
		const verdicts = [libsignalAccepts, bridgeAccepts].flatMap(check =>
			[check(publicKey, message, signature), !check(publicKey, message, tampered)])
		if (verdicts.includes(false)) throw new Error('a signature of ours was refused, or its forgery accepted')
		return { ...one, accepted_by: ['libsignal', 'whatsapp-rust-bridge'] }
	})
	write('crypto.json', { signatures, agreements, derivations, gcm, cbc, macs, ours })
}

function certificateChain(serverStatic, root) {
	const { Details } = proto.CertChain.NoiseCertificate
	const intermediate = pair('intermediate')
	const [notBefore, notAfter] = [1767225600, 1798761600] // the year 2026
	const signed = (details, by) => {
		const body = Buffer.from(Details.encode(details).finish())
		return { details: body, signature: curve.calculateSignature(by, body) }
	}
	return Buffer.from(proto.CertChain.encode({
		intermediate: signed({ serial: 1, issuerSerial: 0, key: intermediate.public, notBefore, notAfter }, root.private),
		leaf: signed({ serial: 2, issuerSerial: 1, key: serverStatic.public, notBefore, notAfter }, intermediate.private)
	}).finish())
}

// The server's half, from Baileys' primitives: only there so that Baileys' own client half has someone to talk to.
function server(clientEphemeral, ephemeral, staticPair, chain) {
	let hash = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0'), salt = hash, key = hash, counter = 0
	const nonce = n => { const iv = Buffer.alloc(12); iv.writeUInt32BE(n, 8); return iv }
	const authenticate = said => { hash = sha256(Buffer.concat([hash, said])) }
	const split = secret => { const k = Buffer.from(hkdf(secret, 64, { salt, info: '' })); return [k.subarray(0, 32), k.subarray(32)] }
	const mix = secret => { [salt, key] = split(secret); counter = 0 }
	const seal = text => { const c = aesEncryptGCM(text, key, nonce(counter++), hash); authenticate(c); return c }
	const open = c => { const text = aesDecryptGCM(c, key, nonce(counter++), hash); authenticate(c); return text }
	authenticate(NOISE_WA_HEADER)
	authenticate(clientEphemeral)
	authenticate(ephemeral.public)
	mix(Curve.sharedKey(ephemeral.private, clientEphemeral))
	const sealedStatic = seal(staticPair.public)
	mix(Curve.sharedKey(staticPair.private, clientEphemeral))
	const serverHello = { ephemeral: ephemeral.public, static: sealedStatic, payload: seal(chain) }
	const accept = ({ static: sealed, payload }) => {
		const clientStatic = open(sealed)
		mix(Curve.sharedKey(ephemeral.private, clientStatic))
		const said = open(payload)
		const [fromClient, fromServer] = split(EMPTY)
		return { clientStatic, said, seal: (text, n) => aesEncryptGCM(text, fromServer, nonce(n), EMPTY),
			open: (c, n) => aesDecryptGCM(c, fromClient, nonce(n), EMPTY) }
	}
	return { serverHello, accept }
}

async function noiseVector(name, routingInfo) {
	const [ephemeral, identity] = [pair(`${name} client ephemeral`), pair(`${name} client static`)]
	const [serverEphemeral, serverStatic] = [pair(`${name} server ephemeral`), pair(`${name} server static`)]
	const root = pair('root')
	WA_CERT_DETAILS.PUBLIC_KEY = root.public
	const chain = certificateChain(serverStatic, root)
	const logger = { level: 'silent', child: () => logger, trace() {} }
	const framed = body => Buffer.concat([Buffer.from([body.length >> 16, (body.length >> 8) & 255, body.length & 255]), body])

	const noise = makeNoiseHandler({ keyPair: ephemeral, NOISE_HEADER: NOISE_WA_HEADER, logger, routingInfo })
	const hello = proto.HandshakeMessage.encode({ clientHello: { ephemeral: ephemeral.public } }).finish()
	const clientHello = noise.encodeFrame(Buffer.from(hello))
	const peer = server(ephemeral.public, serverEphemeral, serverStatic, chain)
	const answer = Buffer.from(proto.HandshakeMessage.encode({ serverHello: peer.serverHello }).finish())
	const sealed = noise.processHandshake(proto.HandshakeMessage.decode(answer), identity)
	const payload = Buffer.from(proto.ClientPayload.encode({ username: 550000000001, passive: true, device: 7 }).finish())
	const finish = { static: sealed, payload: noise.encrypt(payload) }
	const clientFinish = noise.encodeFrame(Buffer.from(proto.HandshakeMessage.encode({ clientFinish: finish }).finish()))
	const accepted = peer.accept(finish)
	if (!accepted.said.equals(payload) || !accepted.clientStatic.equals(identity.public)) throw new Error('the halves disagree')
	await noise.finishInit()

	const say = (tag, i) => encodeBinaryNode({ tag, attrs: { id: `${i}`, xmlns: 'w:p' }, content: [{ tag: 'ping', attrs: {} }] })
	const fromClient = [0, 1, 2].map(i => noise.encodeFrame(Buffer.from(say('iq', i))))
	fromClient.forEach((one, i) => accepted.open(one.subarray(3), i))
	const fromServer = [0, 1, 2].map(i => framed(accepted.seal(Buffer.from(say('iq', i + 10)), i)))
	const heard = []
	for (const one of fromServer) await noise.decodeFrame(one, node => heard.push(node.attrs.id))
	if (heard.join() !== '10,11,12') throw new Error('Baileys did not read the frames')
	return { name, routing: routingInfo ?? null, root: root.public, chain, payload,
		client_ephemeral: ephemeral.private, client_static: identity.private,
		server_ephemeral: serverEphemeral.private, server_static: serverStatic.private,
		client_hello: clientHello, server_hello: framed(answer), client_finish: clientFinish,
		from_client: fromClient, from_server: fromServer }
}

cryptoVectors()
const plainLink = await noiseVector('plain')
const routedLink = await noiseVector('routed', Buffer.from('0802080508', 'hex'))
write('noise.json', { links: [plainLink, routedLink] })
