// Answers of a machine, sealed by Node's own HKDF and AES-GCM under the labels WhatsApp documents by its clients; what is
// in them and around them is put together by the WAProto of an unmodified Baileys. Run it from the repository's root.
import { createCipheriv, createHash, hkdfSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { proto } from '../node_modules/@whiskeysockets/baileys/lib/index.js'

const digest = label => createHash('sha256').update(label).digest()
const hex = bytes => Buffer.from(bytes).toString('hex')
const hkdf = (key, info) => Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), info, 32))

const secret = digest('the secret of a question')
const machine = '15550142@bot'

function answer(id, asker, message) {
	const key = hkdf(hkdf(secret, 'Bot Message'), id + asker + machine)
	const iv = digest(`nonce of ${id} for ${asker}`).subarray(0, 12)
	const cipher = createCipheriv('aes-256-gcm', key, iv)
	cipher.setAAD(Buffer.from(`${id}\0${machine}`))
	const plaintext = proto.Message.encode(message).finish()
	const encPayload = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
	return { id, asker, plaintext: hex(plaintext), sealed: hex(proto.MessageSecretMessage.encode({ version: 1, encIv: iv, encPayload }).finish()) }
}

const rich = {
	richResponseMessage: {
		messageType: 1,
		submessages: [
			{ messageType: 2, messageText: 'Like this:' },
			{ messageType: 5, codeMetadata: { codeLanguage: 'python', codeBlocks: [{ codeContent: 'print(' }, { codeContent: '1)' }] } },
			{ messageType: 3 },
		],
	},
}
const question = proto.Message.encode({
	conversation: 'hello',
	messageContextInfo: { messageSecret: secret, botMetadata: { personaId: '1000000000000001$2000000000000001' } },
}).finish()

writeFileSync(
	'tests/protocol/vectors/bots.json',
	JSON.stringify(
		{
			secret: hex(secret),
			machine,
			question: hex(question),
			answers: {
				words: answer('3EB0AAAA0001', '100000000000001@lid', { conversation: 'You said' }),
				by_number: answer('3EB0AAAA0002', '550000000001@s.whatsapp.net', { conversation: 'by number' }),
				rich: answer('3EB0AAAA0003', '100000000000001@lid', rich),
			},
		},
		null,
		1,
	) + '\n',
)
