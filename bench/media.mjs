// The peer's half of bench/media.py: one file encrypted into another, as Baileys does before each upload.
//   → {"path"}   ← {"seconds"}
import { unlinkSync } from 'node:fs'
import { answer, baileys, seconds } from './jobs.mjs'

const { encryptedStream } = await baileys('lib/Utils/messages-media.js')

answer(async ({ path }) => {
	const started = process.hrtime.bigint()
	const { encFilePath } = await encryptedStream({ url: path }, 'document', {})
	const took = seconds(started)
	unlinkSync(encFilePath)
	return { seconds: took }
})
