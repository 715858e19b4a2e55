// Completes tests/protocol/vectors/content.json with the unmodified Baileys: what it reads in every kind of message recado
// encoded, and messages, reporting tokens and secrets of its own.
//   node tests/interop/vectors/content.mjs          (from the repository's root, after npm ci in tests/interop)
// What recado made stands under "ours" (made by content.py) and is read, not written. The numbers are invented.
import { createCipheriv, createHash, hkdfSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import {
	decryptEventResponse, decryptPollVote, generateWAMessageContent, generateWAMessageFromContent, normalizeMessageContent, proto,
	getContentType, prepareDisappearingMessageSettingContent
} from '@whiskeysockets/baileys'

const reporting = await import(new URL('../node_modules/@whiskeysockets/baileys/lib/Utils/reporting-utils.js', import.meta.url))
const FILE = new URL('../../protocol/vectors/content.json', import.meta.url)
const hex = value => Buffer.from(value).toString('hex')
const bytes = value => Buffer.from(value, 'hex')
const { ours } = JSON.parse(readFileSync(FILE, 'utf8'))
const { Message } = proto
const BIA = '550000000002@s.whatsapp.net', RUI = '550000000003@s.whatsapp.net', TARGET = '3EB0000000000000000A'
const secret = bytes(ours.secret)
const key = { remoteJid: BIA, fromMe: false, id: TARGET }
const own = { ...key, fromMe: true }
const encode = message => hex(Message.encode(Message.fromObject(message)).finish())
const made = async (content, options = {}) => encode(await generateWAMessageContent(content, { messageId: 'X', jid: BIA, ...options }))
const vcard = 'BEGIN:VCARD\nVERSION:3.0\nFN:Bia\nORG:Sea;\nitem1.TEL;type=CELL;waid=550000000002:+55 00 0000-0002\nEND:VCARD'
const row = (title, rowId, description) => ({ title, rowId, description })

const NOT_MESSAGES = ['secret', 'token']
const reads = {}
for (const [name, value] of Object.entries(ours)) {
	if (NOT_MESSAGES.includes(name)) continue
	const message = Message.decode(bytes(value))
	reads[name] = { kind: getContentType(normalizeMessageContent(message)), message: message.toJSON() }
}
const poll = Message.decode(bytes(ours.vote)).pollUpdateMessage
const context = { pollCreatorJid: BIA, pollMsgId: TARGET, pollEncKey: secret, voterJid: RUI }
reads.vote.options = decryptPollVote(poll.vote, context).selectedOptions.map(hex)
const answer = Message.decode(bytes(ours.answer)).encEventResponseMessage
reads.answer.response = decryptEventResponse(answer, {
	eventCreatorJid: BIA, eventMsgId: TARGET, eventEncKey: secret, responderJid: RUI
}).toJSON()

// Baileys opens votes and makes none: the same construction, by Node's own functions, to have one from elsewhere.
function sealed(use, plaintext, writer) {
	const derived = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(32), Buffer.from(TARGET + BIA + writer + use), 32))
	const iv = Buffer.alloc(12, 7), cipher = createCipheriv('aes-256-gcm', derived, iv)
	if (use !== 'Message Edit') cipher.setAAD(Buffer.from(`${TARGET}\0${writer}`))
	return { encPayload: Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]), encIv: iv }
}
const chosen = ['monday', 'friday'].map(option => createHash('sha256').update(option).digest())
const vote = sealed('Poll Vote', Message.PollVoteMessage.encode({ selectedOptions: chosen }).finish(), RUI)
decryptPollVote(vote, context)
const going = sealed('Event Response', Message.EventResponseMessage.encode({ response: 1, extraGuestCount: 1, timestampMs: 1 }).finish(), RUI)
const edit = sealed('Message Edit', Message.encode({ protocolMessage: { key: own, type: 14,
	editedMessage: { extendedTextMessage: { text: 'edited in secret' } } } }).finish(), BIA)

const quoted = generateWAMessageFromContent(BIA, await generateWAMessageContent({ location: { degreesLatitude: 1, degreesLongitude: 2 } }, {}), {
	userJid: RUI, messageId: 'X', quoted: { key, message: { imageMessage: { caption: 'the sea', mimetype: 'image/jpeg' } } },
	ephemeralExpiration: 86400
}).message
const forwarded = await generateWAMessageContent({ forward: { key, message: { conversation: 'pass it on' } } }, {})
const image = { url: 'https://example.invalid/x', directPath: '/x', mimetype: 'image/jpeg', caption: 'a caption', mediaKey: secret,
	fileSha256: secret, fileEncSha256: secret, fileLength: 77, height: 3, width: 4, jpegThumbnail: Buffer.from('small'),
	mediaKeyTimestamp: 1795000000 }
const baileys = {
	text: await made({ text: 'hi @550000000003', mentions: [RUI], linkPreview: { 'matched-text': 'https://example.invalid',
		'canonical-url': 'x', title: 'A page', description: 'words', jpegThumbnail: Buffer.from('small') } }),
	contact: await made({ contacts: { displayName: 'Bia', contacts: [{ displayName: 'Bia', vcard }] } }),
	contacts: await made({ contacts: { displayName: 'two', contacts: [{ displayName: 'Bia', vcard }, { vcard }] } }),
	location: await made({ location: { degreesLatitude: -23.5, degreesLongitude: -46.6, name: 'A square', address: 'A street' } }),
	reaction: await made({ react: { text: '👍', key } }),
	revoke: await made({ delete: own }),
	edit: await made({ text: 'better', edit: own }),
	pin: await made({ pin: key, type: 1, time: 604800 }),
	unpin: await made({ pin: key, type: 2 }),
	timer: encode(prepareDisappearingMessageSettingContent(86400)),
	invite: await made({ groupInvite: { jid: '120000000000000001@g.us', inviteCode: 'AbC', inviteExpiration: 1795000000,
		subject: 'Walkers', text: 'come' } }),
	poll: await made({ poll: { name: 'Which?', values: ['a', 'b'], selectableCount: 2, messageSecret: secret } }),
	poll_v2: await made({ poll: { name: 'Which?', values: ['a', 'b'], selectableCount: 1, messageSecret: secret, toAnnouncementGroup: true } }),
	poll_v3: await made({ poll: { name: 'Which?', values: ['a', 'b'], selectableCount: 1, messageSecret: secret } }),
	poll_v5: encode({ pollCreationMessageV5: { name: 'Which?', options: [{ optionName: 'a' }, { optionName: 'b' }],
		selectableOptionsCount: 1, pollType: 1, correctAnswer: { optionName: 'b' } } }),
	event: await made({ event: { name: 'A walk', description: 'Bring water', startDate: new Date(1795000000000),
		endDate: new Date(1795003600000), location: { degreesLatitude: 1, degreesLongitude: 2, name: 'A park' }, messageSecret: secret } }),
	album: await made({ album: { expectedImageCount: 2, expectedVideoCount: 1 } }),
	choice_of_a_button: await made({ buttonReply: { id: 'b1', displayText: 'Yes' }, type: 'plain' }),
	choice_of_a_template: await made({ buttonReply: { id: 't1', displayText: 'Stop', index: 1 }, type: 'template' }),
	choice_of_a_list: await made({ listReply: { title: 'Monday', listType: 1, singleSelectReply: { selectedRowId: 'r1' } } }),
	image: encode({ imageMessage: image }),
	view_once: encode({ viewOnceMessageV2: { message: { imageMessage: image } } }),
	voice: encode({ viewOnceMessageV2Extension: { message: { audioMessage: { ptt: true, seconds: 3, waveform: Buffer.alloc(64, 9),
		url: 'https://example.invalid/x', mediaKey: secret, viewOnce: true } } } }),
	round: encode({ ptvMessage: { seconds: 4, mimetype: 'video/mp4' } }),
	sticker: encode({ lottieStickerMessage: { message: { stickerMessage: { isLottie: true, isAnimated: true, width: 512 } } } }),
	of_an_album: encode({ imageMessage: image, messageContextInfo: { messageSecret: secret, messageAssociation: { associationType: 1,
		parentMessageKey: own } } }),
	document: encode({ documentWithCaptionMessage: { message: { documentMessage: { caption: 'c', fileName: 'plan.pdf', pageCount: 3 } } } }),
	live_location: encode({ liveLocationMessage: { degreesLatitude: 1.5, degreesLongitude: 2.5, accuracyInMeters: 3, sequenceNumber: 4,
		caption: 'on my way' } }),
	keep: encode({ keepInChatMessage: { key, keepType: 1, timestampMs: 1 } }),
	product: encode({ productMessage: { businessOwnerJid: BIA, product: { productId: '77', title: 'A cup', currencyCode: 'BRL',
		priceAmount1000: 19900 } } }),
	buttons: encode({ buttonsMessage: { contentText: 'Coming?', footerText: 'bye', headerType: 2, text: 'Hello', buttons: [
		{ buttonId: 'b1', buttonText: { displayText: 'Yes' }, type: 1 }] } }),
	buttons_with_an_image: encode({ buttonsMessage: { contentText: 'Coming?', headerType: 4, imageMessage: image, buttons: [
		{ buttonId: 'b1', buttonText: { displayText: 'Yes' }, type: 1 }] } }),
	list: encode({ listMessage: { title: 'H', description: 'Which day?', buttonText: 'Days', listType: 1, footerText: 'F',
		sections: [{ title: 'Week', rows: [row('Monday', 'r1', 'early'), row('Friday', 'r2')] }] } }),
	template: encode({ templateMessage: { hydratedTemplate: { hydratedContentText: 'Your code', hydratedTitleText: 'Code',
		hydratedFooterText: 'bye', hydratedButtons: [{ index: 2, callButton: { displayText: 'Call', phoneNumber: '+550000000002' } },
			{ index: 1, urlButton: { displayText: 'Open', url: 'https://example.invalid' } },
			{ index: 3, quickReplyButton: { displayText: 'Stop', id: 't1' } }] } } }),
	interactive: encode({ interactiveMessage: { header: { title: 'Hello' }, body: { text: 'Choose' }, footer: { text: 'bye' },
		nativeFlowMessage: { buttons: [{ name: 'cta_url', buttonParamsJson: '{"display_text":"Open","url":"https://example.invalid"}' }] } } }),
	interactive_list: encode({ interactiveMessage: { body: { text: 'Choose' }, nativeFlowMessage: { buttons: [{ name: 'single_select',
		buttonParamsJson: JSON.stringify({ title: 'Days', sections: [{ title: 'Week', rows: [{ id: 'r1', title: 'Monday' }] }] }) }] } } }),
	choice_in_a_flow: encode({ interactiveResponseMessage: { body: { text: 'Go' }, nativeFlowResponseMessage: { name: 'quick_reply',
		paramsJson: '{"id":"q1"}' } } }),
	carousel: encode({ interactiveMessage: { body: { text: 'Three cups' }, carouselMessage: { cards: [] } } }),
	order: encode({ orderMessage: { orderId: '1', message: 'two cups, please', itemCount: 2 } }),
	quoted: encode(quoted),
	forwarded: encode(forwarded),
	vote: encode({ pollUpdateMessage: { pollCreationMessageKey: key, vote, senderTimestampMs: 1 } }),
	answer: encode({ encEventResponseMessage: { eventCreationMessageKey: key, ...going } }),
	secret_edit: encode({ secretEncryptedMessage: { targetMessageKey: own, secretEncType: 2, ...edit } })
}

const tokens = {}
for (const name of ['text', 'contact', 'location', 'image', 'view_once', 'voice', 'document', 'poll_v3', 'invite', 'edit', 'sticker', 'quoted']) {
	const message = Message.decode(bytes(baileys[name]))
	message.messageContextInfo = { messageSecret: secret }
	const encoded = Message.encode(message).finish()
	const node = await reporting.getMessageReportingToken(encoded, message, { id: TARGET, fromMe: false, participant: RUI, remoteJid: BIA })
	tokens[name] = { message: hex(encoded), token: node ? hex(node.content[0].content) : null }
}
const sent = Message.decode(bytes(ours.quoting))
const again = await reporting.getMessageReportingToken(bytes(ours.quoting), sent, { id: TARGET, fromMe: false, participant: RUI, remoteJid: BIA })
writeFileSync(FILE, JSON.stringify({ ours, baileys: { reads, token: hex(again.content[0].content), tokens, made: baileys } }, null, 1) + '\n')
