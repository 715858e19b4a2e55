// Many unmodified Baileys in one process, idle. Jobs: open {url, control, from, count}; memory → {bytes}.
import { answer } from './jobs.mjs'
import { linked } from './accounts.mjs'

const sockets = []

const work = {
	async open({ url, control, from, count }) {
		for (let i = from; i < from + count; i++) sockets.push(await linked({ url, control, phone: `Baileys idle ${i}` }))
		return {}
	},
	async memory() {
		globalThis.gc()
		return { bytes: process.memoryUsage().rss }
	}
}

await answer(job => work[job.do](job))
