// Writes tests/protocol/vectors/media.json with the unmodified Baileys: files it encrypted, keys it derived, and its two
// halves of asking the phone for a file again.
//   node tests/interop/vectors/media.mjs          (from the repository's root, after npm ci in tests/interop)
// Contents are made from a size, so the file stays small; keys are fresh in every run. The numbers are invented.
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import {
	aesEncryptGCM, decryptMediaRetryData, encryptMediaRetryRequest, encryptedStream, getMediaKeys, hkdf, proto, sha256
} from '@whiskeysockets/baileys'

const FILE = new URL('../../protocol/vectors/media.json', import.meta.url)
const hex = value => Buffer.from(value).toString('hex')
const content = size => Buffer.from(Array.from({ length: size }, (_, place) => (place * 31 + 7) % 256))

const key = sha256(Buffer.from('media key'))
const derived = {}
for (const kind of ['image', 'video', 'audio', 'ptt', 'ptv', 'gif', 'document', 'sticker', 'md-msg-hist', 'md-app-state',
	'thumbnail-link', 'thumbnail-image', 'thumbnail-video', 'thumbnail-document']) {
	const keys = await getMediaKeys(key, kind)
	derived[kind] = { iv: hex(keys.iv), cipher: hex(keys.cipherKey), mac: hex(keys.macKey) }
}

const files = []
for (const [kind, size] of [['image', 0], ['image', 1], ['video', 15], ['audio', 16], ['document', 17], ['sticker', 1000],
	['document', 131072], ['video', 200001]]) {
	const made = await encryptedStream(content(size), kind, {})
	const sealed = readFileSync(made.encFilePath)
	unlinkSync(made.encFilePath)
	files.push({
		kind, size, key: hex(made.mediaKey), sha256: hex(made.fileSha256), encSha256: hex(made.fileEncSha256),
		length: made.fileLength, sealed: size <= 1000 ? hex(sealed) : undefined, sealedSize: sealed.length
	})
}

const id = '3EB0AAAA0000BBBB'
const request = encryptMediaRetryRequest({ id, remoteJid: '550000000002@s.whatsapp.net', fromMe: false }, key,
	'550000000001:7@s.whatsapp.net')
const [asked, about] = request.content
const answer = proto.MediaRetryNotification.encode({
	stanzaId: id, directPath: '/v/t62.7118-24/again.enc?oe=1', result: proto.MediaRetryNotification.ResultType.SUCCESS
}).finish()
const iv = sha256(Buffer.from('iv')).subarray(0, 12)
const ciphertext = aesEncryptGCM(answer, hkdf(key, 32, { info: 'WhatsApp Media Retry Notification' }), iv, Buffer.from(id))
const read = decryptMediaRetryData({ ciphertext, iv }, key, id)
const retry = {
	id, key: hex(key), attrs: request.attrs, about: about.attrs,
	request: { ciphertext: hex(asked.content[0].content), nonce: hex(asked.content[1].content) },
	answer: { ciphertext: hex(ciphertext), nonce: hex(iv), directPath: read.directPath, result: read.result }
}
writeFileSync(FILE, JSON.stringify({ key: hex(key), derived, files, retry }, null, '\t') + '\n')
