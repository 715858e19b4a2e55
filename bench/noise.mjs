// The peer's half of bench/noise.py. Inner, synchronous calls are timed, so that promises cost the peer nothing.
import { createHash } from 'node:crypto'
import { answer, baileys, seconds } from './jobs.mjs'

const { makeNoiseHandler } = await baileys('lib/Utils/noise-handler.js')
const { NOISE_WA_HEADER, WA_CERT_DETAILS } = await baileys('lib/Defaults/index.js')
const { proto } = await baileys('WAProto/index.js')

const logger = { level: 'silent', child: () => logger, trace() {} }
const unhex = text => Buffer.from(text, 'hex')
const handler = keyPair => makeNoiseHandler({ keyPair, NOISE_HEADER: NOISE_WA_HEADER, logger })

async function open(secret) {
	const noise = handler({ private: Buffer.alloc(32), public: Buffer.alloc(32) })
	noise.mixIntoKey(secret)
	await noise.finishInit()
	noise.encodeFrame(Buffer.alloc(1)) // the intro goes out once, with the first frame
	return noise
}

async function frames({ secret, plaintext, ciphertexts }) {
	const noise = await open(unhex(secret))
	const body = unhex(plaintext)
	const sealed = ciphertexts.map(unhex)
	const out = new Array(sealed.length)
	let started = process.hrtime.bigint()
	for (let i = 0; i < out.length; i++) out[i] = noise.encodeFrame(body)
	const encrypt = seconds(started)
	started = process.hrtime.bigint()
	for (const one of sealed) noise.decrypt(one)
	const decrypt = seconds(started)
	const digest = createHash('sha256')
	for (const one of out) digest.update(one)
	return { encrypt, decrypt, digest: digest.digest('hex') }
}

function handshakes({ root, ephemeral, identity, answer, payload, count }) {
	WA_CERT_DETAILS.PUBLIC_KEY = unhex(root)
	const pair = ([secret, publicKey]) => ({ private: unhex(secret), public: unhex(publicKey) })
	const [ours, known, said, body] = [pair(ephemeral), pair(identity), unhex(answer), unhex(payload)]
	const started = process.hrtime.bigint()
	for (let i = 0; i < count; i++) {
		const noise = handler(ours)
		proto.HandshakeMessage.encode({ clientHello: { ephemeral: ours.public } }).finish()
		const sealed = noise.processHandshake(proto.HandshakeMessage.decode(said), known)
		proto.HandshakeMessage.encode({ clientFinish: { static: sealed, payload: noise.encrypt(body) } }).finish()
	}
	return { seconds: seconds(started) }
}

await answer(async job => (job.answer ? handshakes(job) : await frames(job)))
