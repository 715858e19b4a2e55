// Completes tests/protocol/vectors/messages.json with the unmodified Baileys: what its schema reads in messages recado
// encoded, and messages it made itself.
//   node tests/interop/vectors/messages.mjs          (from the repository's root, after npm ci in tests/interop)
// What recado made stands under "ours" and is read, not written. The numbers are invented.
import { readFileSync, writeFileSync } from 'node:fs'
import { deflateSync, inflateSync } from 'node:zlib'
import { generateWAMessageFromContent, proto, sha256, unpadRandomMax16, encodeWAMessage } from '@whiskeysockets/baileys'

const FILE = new URL('../../protocol/vectors/messages.json', import.meta.url)
const hex = value => Buffer.from(value).toString('hex')
const { Message } = proto
const encode = message => hex(Message.encode(Message.fromObject(message)).finish())
const read = serialised => Message.decode(Buffer.from(serialised, 'hex')).toJSON()
const { ours } = JSON.parse(readFileSync(FILE, 'utf8'))

const CHAT = '550000000002@s.whatsapp.net'
const secret = sha256(Buffer.from('secret'))
const text = { conversation: 'olá 👋' }
const quotedKey = { remoteJid: CHAT, fromMe: false, id: '3EB0QUOTED' }
const quoting = generateWAMessageFromContent(CHAT, { extendedTextMessage: { text: 'answer' } }, {
	userJid: '550000000001:7@s.whatsapp.net', messageId: '3EB0ANSWER',
	quoted: { key: quotedKey, message: { conversation: 'question' } }
}).message
const image = { imageMessage: { url: 'https://example.invalid/x', mimetype: 'image/jpeg', caption: 'a caption' } }
const history = proto.HistorySync.encode({
	syncType: proto.HistorySync.HistorySyncType.RECENT, chunkOrder: 3, progress: 55,
	conversations: [{
		id: '100000000000002@lid', pnJid: CHAT, name: 'Bia', unreadCount: 2,
		messages: [
			{ message: { key: { ...quotedKey, remoteJid: '100000000000002@lid' }, message: text, messageTimestamp: 1795000000,
				pushName: 'Bia' } },
			{ message: { key: { remoteJid: '100000000000002@lid', fromMe: true, id: '3EB0MINE' }, message: quoting,
				messageTimestamp: 1795000001 } },
			{ message: { key: { remoteJid: '100000000000002@lid', fromMe: false, id: 'STUB' }, messageStubType: 39,
				messageTimestamp: 1795000002 } },
			{ message: { key: { remoteJid: '100000000000002@lid', fromMe: false, id: '3EB0IMAGE' }, message: image,
				messageTimestamp: 1795000003 } }
		]
	}, {
		id: '120000000000000001@g.us', name: 'Group',
		messages: [{ message: { key: { remoteJid: '120000000000000001@g.us', fromMe: false, id: '3EB0GROUP',
			participant: '550000000003@s.whatsapp.net' }, message: text, messageTimestamp: 1795000004 } }]
	}],
	pushnames: [{ id: CHAT, pushname: 'Bia' }],
	phoneNumberToLidMappings: [{ pnJid: '550000000003@s.whatsapp.net', lidJid: '100000000000003@lid' }]
}).finish()
const notification = { syncType: 3, chunkOrder: 3, progress: 55 }

writeFileSync(FILE, JSON.stringify({
	ours,
	baileys: {
		reads: {
			text: read(ours.text),
			quoted: read(ours.quoted),
			device_sent: read(ours.device_sent),
			history: proto.HistorySync.decode(inflateSync(Buffer.from(ours.history_payload, 'hex'))).toJSON(),
			history_sync_type: read(ours.history).protocolMessage.historySyncNotification.syncType,
			unpads: Buffer.from(unpadRandomMax16(Buffer.from(ours.padded, 'hex'))).toString()
		},
		padded: hex(encodeWAMessage(Message.fromObject(text))),
		text: encode(text),
		extended: encode({ extendedTextMessage: { text: 'plain words' }, messageContextInfo: { messageSecret: secret } }),
		secret: hex(secret),
		quoting: encode(quoting),
		ephemeral: encode({ ephemeralMessage: { message: quoting } }),
		view_once_image: encode({ viewOnceMessageV2: { message: image } }),
		image: encode(image),
		caption: encode({ documentWithCaptionMessage: { message: { documentMessage: { caption: 'c' } } } }),
		device_sent: encode({ deviceSentMessage: { destinationJid: CHAT, message: text, phash: '2:abcdefgh' } }),
		reaction: encode({ reactionMessage: { key: quotedKey, text: '👍' } }),
		poll: encode({ pollCreationMessageV3: { name: 'poll', options: [{ optionName: 'a' }] } }),
		revoke: encode({ protocolMessage: { key: quotedKey, type: 0 } }),
		edit: encode({ editedMessage: { message: { protocolMessage: { key: quotedKey, type: 14, editedMessage: text,
			timestampMs: 1795000000000 } } } }),
		sender_key: encode({ senderKeyDistributionMessage: { groupId: '120000000000000001@g.us',
			axolotlSenderKeyDistributionMessage: secret } }),
		key_share: encode({ protocolMessage: { type: 6, appStateSyncKeyShare: { keys: [{ keyId: { keyId: Buffer.from([0, 1]) },
			keyData: { keyData: secret } }] } } }),
		history_inline: encode({ protocolMessage: { type: 5, historySyncNotification: { ...notification,
			initialHistBootstrapInlinePayload: deflateSync(history) } } }),
		history_media: encode({ protocolMessage: { type: 5, historySyncNotification: { ...notification, mediaKey: secret,
			directPath: '/v/x', fileSha256: secret, fileEncSha256: secret, fileLength: 1234 } } })
	}
}, null, 1) + '\n')
