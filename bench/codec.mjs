// The peer's half of bench/codec.py: each job names a file of nodes. Encodes every node once and decodes every body once,
// with the functions Baileys' own socket calls.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { answer, baileys, seconds } from './jobs.mjs'

const { decodeBinaryNode, encodeBinaryNode } = await baileys()

const revive = ({ tag, attrs, content }) => ({ tag, attrs, content: reviveContent(content) })
const reviveContent = content => {
	if (content === null) return undefined
	if (Array.isArray(content)) return content.map(revive)
	return typeof content === 'string' ? content : Buffer.from(content.base64, 'base64')
}

await answer(async ({ path }) => {
	const nodes = JSON.parse(readFileSync(path, 'utf8')).map(revive)
	const bodies = new Array(nodes.length)
	let started = process.hrtime.bigint()
	for (let i = 0; i < nodes.length; i++) bodies[i] = encodeBinaryNode(nodes[i])
	const encode = seconds(started)
	started = process.hrtime.bigint()
	for (let i = 0; i < bodies.length; i++) await decodeBinaryNode(bodies[i])
	const decode = seconds(started)
	const digest = createHash('sha256')
	for (const body of bodies) digest.update(body)
	return { encode, decode, digest: digest.digest('hex') }
})
