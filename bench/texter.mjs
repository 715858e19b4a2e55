// One unmodified Baileys that texts, with its keys in memory. Jobs as in texter.py, but for the profile.
import { answer } from './jobs.mjs'
import { linked } from './accounts.mjs'

const LENGTH = 100
const PATIENCE = 60_000
const times = new Map() // by round
const sent = new Map()
let news = () => {}
let socket

function hear(messages) {
	for (const { key, message } of messages) {
		const text = message?.conversation ?? message?.extendedTextMessage?.text
		if (key.fromMe || !text) continue
		const round = Number(text.split(' ', 1)[0])
		if (!times.has(round)) times.set(round, [])
		times.get(round).push(process.hrtime.bigint())
	}
	news()
}

const work = {
	async open(job) {
		socket = await linked({ ...job, sent, onMessages: hear })
		return {}
	},
	async send({ to, round, count, window, seconds }) {
		const started = process.hrtime.bigint()
		const until = started + BigInt(Math.round(seconds * 1e9))
		let next = 0, done = 0
		const lane = async () => {
			while (next < count) {
				const text = `${round} ${next++} `.padEnd(LENGTH, 'x')
				const message = await socket.sendMessage(to, { text })
				sent.set(message.key.id, message.message)
				done++
				if (process.hrtime.bigint() > until) return
			}
		}
		await Promise.all(Array.from({ length: window }, lane))
		return { count: done, started: Number(started) }
	},
	hear({ round, count }) {
		return new Promise((resolve, reject) => {
			const late = setTimeout(() => reject(new Error('texts are missing')), PATIENCE)
			news = () => {
				const found = times.get(round)
				if (!(found?.length >= count)) return
				clearTimeout(late)
				news = () => {}
				resolve({ at: Number(found[count - 1]) })
			}
			news()
		})
	}
}

await answer(job => work[job.do](job))
