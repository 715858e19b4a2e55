// Makes tests/protocol/vectors/sender_keys.json with the group classes of the unmodified Baileys (over its libsignal):
// what it seals for a group, and what it reads of what recado sealed.
//   node tests/interop/vectors/sender_keys.mjs          (from the repository's root, after npm ci in tests/interop)
// What recado made stands under "ours" (made by sender_keys.py) and is read, not written. Bytes are base64.
import { readFileSync, writeFileSync } from 'node:fs'

const LIB = new URL('../node_modules/@whiskeysockets/baileys/lib/Signal/Group/', import.meta.url)
const group = await import(new URL('index.js', LIB))
const { GroupCipher, GroupSessionBuilder, SenderKeyRecord, SenderKeyName, SenderKeyDistributionMessage } = group

const FILE = new URL('../../protocol/vectors/sender_keys.json', import.meta.url)
const text = data => Buffer.from(data).toString('base64')
const bytes = data => Buffer.from(data, 'base64')
const { ours } = JSON.parse(readFileSync(FILE, 'utf8'))

function keeper() {
	const kept = new Map()
	return {
		loadSenderKey: async name => kept.get(String(name)) ?? new SenderKeyRecord(),
		storeSenderKey: async (name, record) => { kept.set(String(name), SenderKeyRecord.deserialize(Buffer.from(JSON.stringify(record.serialize()), 'utf8'))) }
	}
}
const name = user => new SenderKeyName('120000000000000001@g.us', { id: user, deviceId: 0, toString: () => `${user}.0` })

const store = keeper(), author = name('550000000002')
const given = await new GroupSessionBuilder(store).create(author)
const cipher = new GroupCipher(store, author)
const sealed = []
for (let turn = 0; turn < 40; turn++) {
	const plaintext = `group message ${turn} ${'x'.repeat(turn * 7)}`
	sealed.push({ plaintext: text(plaintext), ciphertext: text(await cipher.encrypt(Buffer.from(plaintext))) })
}
const later = await new GroupSessionBuilder(store).create(author)

const theirs = keeper(), me = name('550000000001')
const message = new SenderKeyDistributionMessage(null, null, null, null, bytes(ours.distribution))
await new GroupSessionBuilder(theirs).process(me, message)
const reader = new GroupCipher(theirs, me)
const reads = []
for (const each of ours.sealed) reads.push(text(await reader.decrypt(bytes(each.ciphertext))))
const tampered = bytes(ours.sealed[0].ciphertext)
tampered[10] ^= 1
const refused = await reader.decrypt(tampered).then(() => false, () => true)
if (!refused) throw new Error('Baileys took a changed message')

writeFileSync(FILE, JSON.stringify({
	ours,
	baileys: { distribution: text(given.serialize()), sealed, later: text(later.serialize()), reads, refuses_tampered: refused }
}, null, '\t') + '\n')
