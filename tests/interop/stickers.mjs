// Packs of stickers with Baileys' own functions for files. Its two exported tables have no row for packs; the rows stand here,
// as a user of Baileys would add them, and everything else (keys, ciphers, transfers, the message) is its own.
//   in:  {do: "openPack", id, host, path, thumbnail} | {do: "sayPack", to, message, archive, ref}
//   out: {ev: "pack", id, content}                   | {ev: "sent", ref, id}
import {
	downloadContentFromMessage, encryptedStream, generateMessageIDV2, MEDIA_HKDF_KEY_MAPPING, MEDIA_PATH_MAP,
	normalizeMessageContent, proto
} from '@whiskeysockets/baileys'
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

const PACK = 'sticker-pack', THUMBNAIL = 'thumbnail-sticker-pack'
MEDIA_HKDF_KEY_MAPPING[PACK] = 'Sticker Pack'
MEDIA_HKDF_KEY_MAPPING[THUMBNAIL] = 'Sticker Pack Thumbnail'
MEDIA_PATH_MAP[PACK] = '/mms/sticker-pack'

export const stickerActions = ({ tell, received, socket }) => ({
	async openPack({ id, host, path, thumbnail }) {
		const pack = normalizeMessageContent(received.get(id).message).stickerPackMessage
		await pipeline(await downloadContentFromMessage(pack, PACK, { host }), createWriteStream(path))
		const linked = { mediaKey: pack.mediaKey, directPath: pack.thumbnailDirectPath }
		await pipeline(await downloadContentFromMessage(linked, THUMBNAIL, { host }), createWriteStream(thumbnail))
		tell({ ev: 'pack', id, content: pack })
	},
	async sayPack({ to, message, archive, ref }) {
		const sealed = await encryptedStream({ url: archive }, PACK)
		const fileEncSha256B64 = sealed.fileEncSha256.toString('base64')
		const { directPath } = await socket().waUploadToServer(sealed.encFilePath, { fileEncSha256B64, mediaType: PACK })
		const { mediaKey, fileSha256, fileEncSha256, fileLength } = sealed
		const stickerPackMessage = { ...message, mediaKey, fileSha256, fileEncSha256, fileLength, directPath }
		const messageId = generateMessageIDV2(socket().user?.id)
		await socket().relayMessage(to, proto.Message.fromObject({ stickerPackMessage }), { messageId })
		tell({ ev: 'sent', ref, id: messageId })
	}
})
