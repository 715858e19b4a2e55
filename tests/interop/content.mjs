// What peer.mjs says and opens beside texts: any content by sendMessage, any message by relayMessage, and what is sealed with
// a message's secret. Baileys opens votes and answers and makes none, so theirs are sealed here with Node's own functions.
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { decryptEventResponse, decryptPollVote, generateMessageIDV2, proto } from '@whiskeysockets/baileys'

// Dates and bytes have no JSON of their own: {"$date": milliseconds}, {"$hex": "…"}.
const revive = value => {
	if (Array.isArray(value)) return value.map(revive)
	if (value === null || typeof value !== 'object') return value
	if ('$date' in value) return new Date(value.$date)
	if ('$hex' in value) return Buffer.from(value.$hex, 'hex')
	return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, revive(each)]))
}

const hashOf = option => createHash('sha256').update(option).digest()

function seal(use, plaintext, { id, secret, creator, writer }) {
	const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(32), Buffer.from(id + creator + writer + use), 32))
	const encIv = randomBytes(12), cipher = createCipheriv('aes-256-gcm', key, encIv)
	if (use !== 'Message Edit') cipher.setAAD(Buffer.from(`${id}\0${writer}`))
	return { encPayload: Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]), encIv }
}

// The counterpart for edits, which Baileys hands on as they are: the author is the writer, by the address messages come from.
function openEdit({ encPayload, encIv }, { id, secret, writer }) {
	const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(32), Buffer.from(`${id}${writer}${writer}Message Edit`), 32))
	const payload = Buffer.from(encPayload), decipher = createDecipheriv('aes-256-gcm', key, encIv)
	decipher.setAuthTag(payload.subarray(-16))
	return proto.Message.decode(Buffer.concat([decipher.update(payload.subarray(0, -16)), decipher.final()]))
}

export function contentActions({ tell, remembered, received, socket }) {
	const messageOf = id => remembered.get(id) ?? received.get(id)?.message
	const secretOf = id => messageOf(id).messageContextInfo.messageSecret

	async function relay(to, message, ref) {
		const messageId = generateMessageIDV2(socket().user?.id)
		remembered.set(messageId, message)
		await socket().relayMessage(to, message, { messageId })
		tell({ ev: 'sent', ref, id: messageId })
	}

	return {
		async say({ to, content, options, ref }) {
			const messageId = generateMessageIDV2(socket().user?.id)
			const sent = await socket().sendMessage(to, revive(content), { messageId, ...revive(options ?? {}) })
			remembered.set(sent.key.id, sent.message)
			tell({ ev: 'sent', ref, id: sent.key.id, key: sent.key })
		},
		async sayFrom({ to, id, force, ref }) { // forwards what it received
			const sent = await socket().sendMessage(to, { forward: received.get(id), force })
			tell({ ev: 'sent', ref, id: sent.key.id })
		},
		async relay({ to, message, ref }) {
			await relay(to, proto.Message.fromObject(revive(message)), ref)
		},
		async vote({ to, key, creator, writer, options, ref }) {
			const plaintext = proto.Message.PollVoteMessage.encode({ selectedOptions: options.map(hashOf) }).finish()
			const vote = seal('Poll Vote', plaintext, { id: key.id, secret: secretOf(key.id), creator, writer })
			const update = { pollCreationMessageKey: key, vote, senderTimestampMs: Date.now() }
			await relay(to, proto.Message.fromObject({ pollUpdateMessage: update }), ref)
		},
		async answer({ to, key, creator, writer, response, ref }) {
			const plaintext = proto.Message.EventResponseMessage.encode({ response, extraGuestCount: 1 }).finish()
			const sealed = seal('Event Response', plaintext, { id: key.id, secret: secretOf(key.id), creator, writer })
			await relay(to, proto.Message.fromObject({ encEventResponseMessage: { eventCreationMessageKey: key, ...sealed } }), ref)
		},
		async secretEdit({ to, key, writer, text, ref }) {
			const edited = { protocolMessage: { key, type: 14, editedMessage: { extendedTextMessage: { text } } } }
			const plaintext = proto.Message.encode(proto.Message.fromObject(edited)).finish()
			const sealed = seal('Message Edit', plaintext, { id: key.id, secret: secretOf(key.id), creator: writer, writer })
			const message = { secretEncryptedMessage: { targetMessageKey: key, secretEncType: 2, ...sealed } }
			await relay(to, proto.Message.fromObject(message), ref)
		},
		async openVote({ id, poll, creator, writer }) {
			const { vote } = messageOf(id).pollUpdateMessage
			const context = { pollCreatorJid: creator, pollMsgId: poll, pollEncKey: secretOf(poll), voterJid: writer }
			const chosen = decryptPollVote(vote, context).selectedOptions
			tell({ ev: 'vote', id, options: chosen.map(hash => Buffer.from(hash).toString('hex')) })
		},
		async openEdit({ id, target, writers }) {
			const sealed = messageOf(id).secretEncryptedMessage
			for (const writer of writers) {
				try {
					tell({ ev: 'edit', id, message: openEdit(sealed, { id: target, secret: secretOf(target), writer }).toJSON() })
				} catch {} // sealed by the other address
			}
		},
		async openAnswer({ id, event, creator, writer }) {
			const opened = decryptEventResponse(messageOf(id).encEventResponseMessage, {
				eventCreatorJid: creator, eventMsgId: event, eventEncKey: secretOf(event), responderJid: writer
			})
			tell({ ev: 'answer', id, response: opened.toJSON() })
		}
	}
}
