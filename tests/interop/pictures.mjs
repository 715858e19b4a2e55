// What peer.mjs does with pictures by link and files of channels, with Baileys' own functions.
//   in:  {do: "sayLink", to, text, preview, picture, ref} | {do: "fetchOpen", id, path}     out: {ev: "fetched", id, key}
import { generateMessageIDV2, getHttpStream, normalizeMessageContent, prepareWAMessageMedia } from '@whiskeysockets/baileys'
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

export const pictureActions = ({ tell, received, socket }) => ({
	// As its own getUrlInfo does, without asking a page.
	async sayLink({ to, text, preview, picture, width, height, ref }) {
		const { imageMessage } = await prepareWAMessageMedia(
			{ image: { url: picture }, width, height },
			{ upload: socket().waUploadToServer, mediaTypeOverride: 'thumbnail-link' }
		)
		const linkPreview = { ...preview, jpegThumbnail: imageMessage.jpegThumbnail, highQualityThumbnail: imageMessage }
		const messageId = generateMessageIDV2(socket().user?.id)
		const sent = await socket().sendMessage(to, { text, linkPreview }, { messageId })
		tell({ ev: 'sent', ref, id: sent.key.id })
	},
	// Its download wants a key always; the bytes of a channel's file are what lies there.
	async fetchOpen({ id, path }) {
		const content = normalizeMessageContent(received.get(id).message)
		const [file] = Object.values(content).filter(value => value?.directPath)
		await pipeline(await getHttpStream(file.url), createWriteStream(path))
		tell({ ev: 'fetched', id, hash: Buffer.from(file.fileSha256).toString('hex'), key: file.mediaKey?.length ?? 0 })
	}
})
