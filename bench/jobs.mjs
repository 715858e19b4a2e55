// What the peers' scripts share: the packages of the folder named first on the command line, and jobs as JSON lines.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

export const require = createRequire(resolve(process.argv[2], 'anchor.js'))

/** Baileys itself, or one file inside it. */
export const baileys = path =>
	import(pathToFileURL(path ? resolve(process.argv[2], '@whiskeysockets/baileys', path) : require.resolve('@whiskeysockets/baileys')))

/** Seconds since `started`, a `process.hrtime.bigint()`. */
export const seconds = started => Number(process.hrtime.bigint() - started) / 1e9

/** Answer each job on standard input with what `work` makes of it, one after the other. */
export async function answer(work) {
	for await (const line of createInterface({ input: process.stdin })) {
		let done
		try {
			done = await work(JSON.parse(line))
		} catch (error) {
			done = { failed: String(error?.stack ?? error) }
		}
		process.stdout.write(`${JSON.stringify(done)}\n`)
	}
	process.exit(0)
}
