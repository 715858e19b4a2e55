// Completes tests/protocol/vectors/appstate.json with the unmodified Baileys: patches it made, one on top of the other,
// a snapshot of where they lead, and what it reads in the patches that recado made.
//   node tests/interop/vectors/appstate.mjs          (from the repository's root, after npm ci in tests/interop)
// What recado made stands under "ours" and is read, not written. Numbers and keys are invented.
import { readFileSync, writeFileSync } from 'node:fs'
import {
	chatModificationToAppPatch, decodePatches, decodeSyncdSnapshot, encodeSyncdPatch, hkdf, newLTHashState, proto, sha256
} from '@whiskeysockets/baileys'
import { expandAppStateKeys, LTHashAntiTampering } from 'whatsapp-rust-bridge'

const FILE = new URL('../../protocol/vectors/appstate.json', import.meta.url)
const hex = value => Buffer.from(value).toString('hex')
const bytes = text => Buffer.from(text, 'hex')
const given = JSON.parse(readFileSync(FILE, 'utf8'))

const KEY_ID = bytes('000100000001')
const KEY = { keyData: sha256(Buffer.from('app state key')) }
const getKey = async id => (id === KEY_ID.toString('base64') ? KEY : undefined)

const CHAT = '550000000002@s.whatsapp.net'
const GROUP = '120000000000000001@g.us'
const key = { remoteJid: CHAT, fromMe: false, id: '3EB0STAR' }
const lastMessages = [{ key, messageTimestamp: 1795000000 }]
const changes = [
	[{ archive: true, lastMessages }, CHAT],
	[{ pin: true }, CHAT],
	[{ mute: 1795999999000 }, CHAT],
	[{ mute: null }, GROUP],
	[{ markRead: false, lastMessages }, CHAT],
	[{ archive: false, lastMessages }, CHAT],
	[{ star: { messages: [key], star: true } }, CHAT],
	[{ star: { messages: [{ ...key, fromMe: true }], star: false } }, CHAT],
	[{ deleteForMe: { key, timestamp: 1795000000, deleteMedia: true } }, CHAT],
	[{ clear: true, lastMessages }, CHAT],
	[{ delete: true, lastMessages }, CHAT],
	[{ pushNameSetting: 'Ana Lúcia' }, ''],
	[{ contact: { fullName: 'Bia Souza', firstName: 'Bia', lidJid: '100000000000002@lid' } }, CHAT],
	[{ contact: null }, CHAT],
	[{ disableLinkPreviews: { isPreviewsDisabled: true } }, ''],
	[{ quickReply: { shortcut: '/oi', message: 'olá', timestamp: '1795000001' } }, ''],
	[{ addLabel: { id: '5', name: 'Novo', color: 3, deleted: false } }, ''],
	[{ addChatLabel: { labelId: '5' } }, CHAT],
	[{ removeChatLabel: { labelId: '5' } }, CHAT],
	[{ addMessageLabel: { labelId: '5', messageId: '3EB0STAR' } }, CHAT]
]

const states = {}
const records = {}
const patches = []
for (const [change, jid] of changes) {
	const create = chatModificationToAppPatch(change, jid)
	const name = create.type
	const { patch, state } = await encodeSyncdPatch(create, KEY_ID.toString('base64'), states[name] ?? newLTHashState(), getKey)
	const place = hex(patch.mutations[0].record.index.blob)
	if (create.operation === proto.SyncdMutation.SyncdOperation.REMOVE) {
		// Baileys notes the entry again after it has removed it; whoever goes on from there must not.
		delete state.indexValueMap[bytes(place).toString('base64')]
		delete records[name][place]
	} else {
		records[name] = { ...records[name], [place]: patch.mutations[0].record }
	}
	states[name] = state
	const whole = proto.SyncdPatch.encode({ ...patch, version: { version: state.version } }).finish()
	patches.push({
		collection: name, index: create.index, version: create.apiVersion, removes: create.operation === 1,
		value: proto.SyncActionValue.fromObject(create.syncAction).toJSON(), at: state.version,
		hash: hex(state.hash), patch: hex(whole)
	})
}

const snapshots = {}
for (const [name, state] of Object.entries(states)) {
	const last = patches.filter(each => each.collection === name).at(-1)
	const snapshot = proto.SyncdSnapshot.encode({
		version: { version: state.version }, records: Object.values(records[name]),
		mac: proto.SyncdPatch.decode(bytes(last.patch)).snapshotMac, keyId: { id: KEY_ID }
	}).finish()
	const read = await decodeSyncdSnapshot(name, proto.SyncdSnapshot.decode(snapshot), getKey, undefined, true)
	if (hex(read.state.hash) !== hex(state.hash)) throw new Error('Baileys does not read the snapshot')
	snapshots[name] = { snapshot: hex(snapshot), version: state.version, hash: hex(state.hash) }
}

const reads = {}
for (const [name, blobs] of Object.entries(given.ours)) {
	const warnings = []
	const logger = { trace() {}, debug() {}, info() {}, warn: (_, text) => warnings.push(text) }
	const { state, mutationMap } = await decodePatches(
		name, blobs.map(each => proto.SyncdPatch.decode(bytes(each))), newLTHashState(), getKey, {}, undefined, logger, true)
	if (warnings.length) throw new Error(`Baileys does not believe a patch of ours: ${warnings}`)
	reads[name] = {
		hash: hex(state.hash), version: Number(state.version),
		entries: Object.values(mutationMap).map(({ index, syncAction }) => (
			{ index, version: syncAction.version, value: proto.SyncActionValue.toObject(syncAction.value, { longs: Number }) }))
	}
}

const expanded = expandAppStateKeys(KEY.keyData)
const macs = ['one', 'two', 'three'].map(label => sha256(Buffer.from(label)))
const LT = new LTHashAntiTampering()
const three = LT.subtractThenAdd(new Uint8Array(128), [], macs)
writeFileSync(FILE, JSON.stringify({
	ours: given.ours,
	baileys: {
		key: {
			id: hex(KEY_ID), data: hex(KEY.keyData), index: hex(expanded.indexKey), value: hex(expanded.valueEncryptionKey),
			value_mac: hex(expanded.valueMacKey), snapshot_mac: hex(expanded.snapshotMacKey), patch_mac: hex(expanded.patchMacKey)
		},
		lthash: { macs: macs.map(hex), three: hex(three), without_two: hex(LT.subtractThenAdd(three, [macs[1]], [])) },
		patches, snapshots, reads
	}
}, null, 1) + '\n')
