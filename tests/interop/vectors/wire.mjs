// Writes tests/protocol/vectors/wire.json with the unmodified Baileys: its bytes for nodes of every kind, what it reads
// back from them, what it reads in bodies put together by hand, and which broken bodies it refuses.
//   node tests/interop/vectors/wire.mjs              (from the repository's root, after npm ci in tests/interop)
// The numbers are invented. Content is null, a string, a list of nodes, {hex} or {repeat, times}; `read` is left out
// where it equals `node`.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { deflateSync } from 'node:zlib'
import { decodeBinaryNode, encodeBinaryNode } from '@whiskeysockets/baileys'

const FILE = new URL('../../protocol/vectors/wire.json', import.meta.url)
const hex = value => Buffer.from(value).toString('hex')
const blob = (label, size) => {
	let made = Buffer.alloc(0)
	for (let i = 0; made.length < size; i++) made = Buffer.concat([made, createHash('sha256').update(`${label} ${i}`).digest()])
	return made.subarray(0, size)
}
const n = (tag, attrs = {}, content = undefined) => ({ tag, attrs, content })
const one = value => n('iq', { id: value })

const PN = '550000000001@s.whatsapp.net'
const LID = '100000000000001@lid'
const enc = (label, size, type = 'msg') => n('enc', { v: '2', type }, blob(label, size))

const nodes = {
	'a bare tag': n('iq'),
	'a tag that is a two-byte word': n('heartbeat'),
	'a tag that is no word': n('reporting_token', { v: '2' }, blob('token', 16)),
	'a word of each dictionary': n('iq', { id: 'read-self', type: 'reject', to: 'dirty', from: 'Etc/UTC' }),
	'the last one-byte word': one('screen_height'),
	'the server as an address': n('iq', { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:p', id: '12345.6789-1' }),
	'the server as a word': n('iq', { from: 's.whatsapp.net', type: 'result' }),
	'the groups as an address': n('iq', { to: '@g.us', type: 'get' }),
	'a phone number': one(PN),
	'a phone number of odd length': one('5500000000001@s.whatsapp.net'),
	'a LID': one(LID),
	'a LID of odd length': one('1000000000000012@lid'),
	'a phone number\'s device': one('550000000001:7@s.whatsapp.net'),
	'device 0': one('550000000001:0@s.whatsapp.net'),
	'device 255': one('550000000001:255@s.whatsapp.net'),
	'a LID\'s device': one('100000000000001:12@lid'),
	'a hosted device': one('550000000001:99@hosted'),
	'a hosted LID\'s device': one('100000000000001:99@hosted.lid'),
	'a hosted number': one('550000000001@hosted'),
	'a group': one('120000000000000001@g.us'),
	'an old group': one('550000000001-1400000000@g.us'),
	'status': one('status@broadcast'),
	'a broadcast list': one('1400000000@broadcast'),
	'a channel': one('120000000000000002@newsletter'),
	'an old bot': one('13135550002@c.us'),
	'a bot': one('867051314767696@bot'),
	'a call': one('3EB0ABCDEF0123456789@call'),
	'a user that is a word': one('0@s.whatsapp.net'),
	'a user of hex digits': one('ABCDEF01@lid'),
	'a user of letters': one('ana@lid'),
	'a device whose user is no number': one('ana:3@lid'),
	'digits': one('1790000000'),
	'digits of odd length': one('179000000'),
	'one digit': one('9'),
	'digits that are a word': one('401'),
	'dashes and dots': one('15814.14823-10'),
	'dashes and dots only': one('-.-'),
	'127 digits': one('1'.repeat(127)),
	'128 digits': one('1'.repeat(128)),
	'hex': one('3EB0ABCDEF0123456789'),
	'hex of odd length': one('3EB0ABCDEF012345678'),
	'127 hex digits': one('A'.repeat(127)),
	'128 hex digits': one('A'.repeat(128)),
	'lower-case hex': one('3eb0abcdef'),
	'a name': n('presence', { name: 'Ana Prado', type: 'available' }),
	'a name outside ASCII': n('presence', { name: 'Antônia 🌻' }),
	'digits outside ASCII': one('١٢٣'),
	'a text of 255 bytes': one('z'.repeat(255)),
	'a text of 256 bytes': one('z'.repeat(256)),
	'an empty text': one(''),
	'white space': one('1 2'),
	'a name of an attribute that is no word': n('message', { sender_pn: PN, addressing_mode: 'lid', participant_lid: LID }),
	'no bytes': n('iq', {}, Buffer.alloc(0)),
	'one byte': n('type', {}, Buffer.from([5])),
	'255 bytes': n('enc', {}, blob('255', 255)),
	'256 bytes': n('enc', {}, blob('256', 256)),
	'70,000 bytes': n('enc', {}, Buffer.alloc(70_000, 0xab)),
	'a mebibyte': n('enc', {}, Buffer.alloc(1 << 20, 0xcd)),
	'content that is a word': n('category', {}, 'image'),
	'content that is digits': n('t', {}, '1790000000'),
	'content that is an address': n('to', {}, PN),
	'content that is a text': n('description', {}, 'plain text'),
	'no children': n('user', { jid: PN }, []),
	'255 children': n('list', {}, Array.from({ length: 255 }, () => n('item'))),
	'256 children': n('list', {}, Array.from({ length: 256 }, (_, i) => n('item', { id: String(i) }))),
	'127 attributes': n('iq', Object.fromEntries(Array.from({ length: 127 }, (_, i) => [`k${i}`, String(i)]))),
	'128 attributes': n('iq', Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`k${i}`, String(i)]))),
	'128 attributes and content': n('iq', Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`k${i}`, 'a'])), blob('k', 3)),
	'forty deep': Array.from({ length: 39 }).reduce(node => n('query', {}, [node]), n('item', { id: '1' })),
	'a message for three devices': n('message', { id: '3EB0ABCDEF0123456789', to: LID, type: 'text' }, [
		n('participants', {}, [
			n('to', { jid: LID }, [enc('a', 194, 'pkmsg')]),
			n('to', { jid: '100000000000001:3@lid' }, [enc('b', 260)]),
			n('to', { jid: '100000000000002:17@lid' }, [enc('c', 260)])
		]),
		n('device-identity', {}, blob('identity', 182)),
		n('reporting', {}, [n('reporting_token', { v: '2' }, blob('reporting', 16))])
	]),
	'a message that arrives': n('message', {
		from: '100000000000003:2@lid', type: 'text', id: '3A0123456789ABCDEF01', sender_pn: '550000000003@s.whatsapp.net',
		t: '1790000000', notify: 'Bia', offline: '0'
	}, [enc('arrives', 210)]),
	'a receipt for several': n('receipt', { from: PN, id: '3EB0ABCDEF0123456789', type: 'read', t: '1790000000' }, [
		n('list', {}, [n('item', { id: '3EB0ABCDEF0123456788' }), n('item', { id: '3EB0ABCDEF0123456787' })])
	]),
	'devices': n('iq', { from: '@s.whatsapp.net', type: 'result', id: '15814.14823-9' }, [
		n('usync', { context: 'message', mode: 'query', sid: '15814.14823-8', last: 'true', index: '0' }, [
			n('list', {}, [n('user', { jid: PN }, [n('devices', {}, [
				n('device-list', {}, [n('device', { id: '0' }), n('device', { id: '17', 'key-index': '4' })]),
				n('key-index-list', { ts: '1790000000' }, blob('index', 40))
			]), n('lid', { val: LID })])])
		])
	]),
	'prekeys to upload': n('iq', { xmlns: 'encrypt', type: 'set', to: '@s.whatsapp.net', id: '1.2-3' }, [
		n('registration', {}, Buffer.from([0, 0, 1, 2])), n('type', {}, Buffer.from([5])), n('identity', {}, blob('i', 32)),
		n('list', {}, Array.from({ length: 30 }, (_, i) => n('key', {}, [
			n('id', {}, Buffer.from([0, 0, i])), n('value', {}, blob(`key ${i}`, 32))
		])))
	])
}

// Bodies no encoder of ours or theirs makes: 00 is the flags byte, f8 06 19 08 … an <iq id=…/> of three items.
const value = bytes => `00f8031908${bytes}`
const bodies = {
	'an empty list where a value stands': value('00'),
	'an empty packed string': value('ff00'),
	'an empty text': value('fc00'),
	'a text of twenty bits': value('fd000003616263'),
	'a text of twenty bits with the upper bits set': value('fdf00003616263'),
	'a text of thirty-two bits': value('fe00000003616263'),
	'a device of an unknown domain': value('f70507ff03123456'),
	'a device whose user is a text': value('f70007fc03616263'),
	'a messenger address': value('f6ff0312345600c8cc'),
	'an interop address': value('f5ff031234560007000afc07696e7465726f70'),
	'an address whose user is hex': value('fafb03abcdef03'),
	'an address whose server is a text': value('faff03123456fc0a6e6577736c6574746572'),
	'an address whose server is a two-byte word': value('faff03123456ec00'),
	'an address in a server': value('fafc0161fafc0162fc0163'),
	'odd hex': value('fb83abcdef'),
	'a long list of one child': '00f80219f90001f80105',
	'a long list as a node': '00f9000319082d',
	'a short list of none': '00f80219f800',
	'an empty list as content': '00f8021900',
	'bytes of thirty-two bits': '00f80219fe00000003616263',
	'a name that is a text': '00f80319fc026964fc0161',
	'an attribute twice': '00f805190805082d',
	'unknown flags': '40f80119',
	'compressed': `02${hex(deflateSync(Buffer.from('f8031908fc03616263', 'hex')))}`,
	'compressed with other flags': `07${hex(deflateSync(Buffer.from('f80119', 'hex')))}`
}

const refused = {
	'nothing': '', 'only flags': '00', 'no list': '0019', 'a list of none': '00f800', 'an empty list': '0000',
	'a list cut short': '00f8', 'a tag cut short': '00f801', 'an empty tag': '00f801fc00', 'an attribute cut short': '00f80319',
	'a value cut short': '00f8031908', 'a text cut short': value('fc0461'), 'a packed string cut short': value('ff0512'),
	'hex cut short': value('fb0512'), 'digits without a size': value('ff'), 'a nibble of twelve': value('ff01c1'),
	'a nibble of fourteen': value('ff011e'), 'an address cut short': value('faff0312'), 'an address without a server': value('faff011200'),
	'a device cut short': value('f701'), 'a two-byte word cut short': value('ec'), 'an unknown mark': value('f0'),
	'a list where a value stands': value('f80119'), 'a list as a tag': '00f801f80119', 'bytes cut short': '00f80219fc05ab',
	'bytes of twenty bits cut short': '00f80219fd00000fab', 'bytes of thirty-two bits cut short': '00f80219fe7fffffff',
	'children cut short': '00f80219f802f80119', 'a long list cut short': '00f80219f9ffff', 'text for a child': '00f80219f80119',
	'a broken deflate': '02789c0102', 'no deflate': '02f80119',
	// Stricter than Baileys:
	'bytes after the node': '00f8011919', 'bad UTF-8': value('fc02c328'), 'a NUL among digits': value('ff011f'),
	'an address as a user': value('fafaff0112030b'), 'a device without a user': value('f70107fc00')
}

// What recado writes otherwise than Baileys would, and Baileys reads all the same.
const ours = {
	'12:3@msgr': value('f6cf0003cc'), '10-123456:7@interop': value('f5ff031234560007000afc07696e7465726f70'),
	'123456:300@lid': value(`fc0e${hex(Buffer.from('123456:300@lid'))}`), 'a@b@c': value('fc056140624063'),
	'mail: ana@example.invalid': value(`fc19${hex(Buffer.from('mail: ana@example.invalid'))}`),
	'Ana @ work': value(`fc0a${hex(Buffer.from('Ana @ work'))}`), '123456:7@g.us': value(`fc0d${hex(Buffer.from('123456:7@g.us'))}`),
	'ana_prado@newsletter': value(`fafc09${hex(Buffer.from('ana_prado'))}fc0a${hex(Buffer.from('newsletter'))}`),
	'ana@': value(`fc04${hex(Buffer.from('ana@'))}`)
}

const plain = ({ tag, attrs, content }) => ({ tag, attrs, content: plainContent(content) })
const plainContent = content => {
	if (content === undefined) return null
	if (typeof content === 'string') return content
	if (Array.isArray(content)) return content.map(plain)
	return content.length < 1000 ? { hex: hex(content) } : { repeat: hex(content.subarray(0, 1)), times: content.length }
}
const reads = async body => plain(await decodeBinaryNode(Buffer.from(body, 'hex')))
const made = []
for (const [name, node] of Object.entries(nodes)) {
	const body = encodeBinaryNode(node)
	const shown = body.length < 8000 ? { body: hex(body) } : { size: body.length, sha256: createHash('sha256').update(body).digest('hex') }
	const read = await reads(hex(body))
	const same = JSON.stringify(read) === JSON.stringify(plain(node))
	made.push({ name, node: plain(node), ...shown, ...(same ? {} : { read }) })
}
const byHand = []
for (const [name, body] of Object.entries(bodies)) byHand.push({ name, body, read: await reads(body) })
const broken = []
for (const [name, body] of Object.entries(refused)) {
	const byBaileys = await reads(body).then(() => false, () => true)
	broken.push({ name, body, refused_by_baileys: byBaileys })
}
const otherwise = []
for (const [text, body] of Object.entries(ours)) {
	const { attrs } = await reads(body)
	if (attrs.id !== text) throw new Error(`Baileys reads ${attrs.id} for ${text}`)
	otherwise.push({ text, body })
}
// Every word, read by Baileys from its number.
const words = []
for (const mark of [null, 236, 237, 238, 239]) {
	for (let number = mark ? 0 : 1; number < (mark ? 256 : 236); number++) {
		const node = await decodeBinaryNode(Buffer.from([0, 0xf8, 3, 25, 8, ...(mark ? [mark] : []), number]))
		words.push(node.attrs.id)
	}
}
const dictionary = { words: words.length, sha256: createHash('sha256').update(words.join('\n')).digest('hex') }
const lines = entries => `[\n${entries.map(entry => JSON.stringify(entry)).join(',\n')}\n]`
writeFileSync(FILE, `{"made": ${lines(made)},\n"by_hand": ${lines(byHand)},\n"ours": ${lines(otherwise)},\n"refused": ${lines(broken)},\n"dictionary": ${JSON.stringify(dictionary)}}\n`)
