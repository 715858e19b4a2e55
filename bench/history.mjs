// The peer's half of bench/history.py: the same parts, read as Baileys reads history, from the disk.
//   → {"files": [{"path", "key"}]}   ← {"seconds", "messages", "peak"}: KiB
import { readFileSync } from 'node:fs'
import { answer, baileys, seconds } from './jobs.mjs'

const { downloadAndProcessHistorySyncNotification } = await baileys('lib/Utils/history.js')
let file
globalThis.fetch = async () => new Response(readFileSync(file))

answer(async ({ files }) => {
	let messages = 0
	const started = process.hrtime.bigint()
	for (const { path, key } of files) {
		file = path
		const part = { mediaKey: Buffer.from(key, 'hex'), directPath: '/part' }
		messages += (await downloadAndProcessHistorySyncNotification(part, {})).messages.length
	}
	return { seconds: seconds(started), messages, peak: process.resourceUsage().maxRSS }
})
