// What peer.mjs does and tells of people: presence, profiles, privacy, blocks, trust and calls.
//   in:  {do: "people", call: "<a function of the socket>", args: [...], ref}     out: {ev: "people", ref, result}
//   out: {ev: "presence" | "blocked" | "call" | "contact" | "lock", ...}

// Baileys (rc14, Utils/business.js) sends a product's picture without waiting until its file is written: at times nothing
// of it is there yet, no host takes it, and the call fails. That, and nothing else, is asked again.
const withItsPictures = async (ask, tries = 5) => {
	try {
		return await ask()
	} catch (error) {
		if (tries <= 1 || error?.message !== 'Media upload failed on all hosts') throw error
		return withItsPictures(ask, tries - 1)
	}
}

export const peopleActions = ({ tell, socket }) => ({
	async people({ call, args, ref }) {
		const result = await withItsPictures(() => socket()[call](...args))
		tell({ ev: 'people', ref, result: result ?? null })
	}
})

export const listenToPeople = (current, tell) => {
	current.ev.on('presence.update', ({ id, presences }) => {
		for (const [who, { lastKnownPresence, lastSeen }] of Object.entries(presences)) {
			tell({ ev: 'presence', id, who, state: lastKnownPresence, lastSeen })
		}
	})
	current.ev.on('blocklist.update', ({ blocklist, type }) => tell({ ev: 'blocked', blocklist, type }))
	current.ev.on('call', calls => {
		for (const { id, from, status, isVideo } of calls) tell({ ev: 'call', id, from, status, isVideo })
	})
	current.ev.on('contacts.update', contacts => {
		for (const { id, imgUrl } of contacts) if (imgUrl) tell({ ev: 'contact', id, imgUrl })
	})
	current.ev.on('connection.update', ({ reachoutTimeLock }) => {
		if (reachoutTimeLock) tell({ ev: 'lock', active: reachoutTimeLock.isActive })
	})
	current.ev.on('message-capping.update', cap => tell({ ev: 'cap', status: cap.capping_status, used: cap.used_quota }))
	current.ev.on('creds.update', ({ accountSettings }) => {
		const timer = accountSettings?.defaultDisappearingMode?.ephemeralExpiration
		if (timer !== undefined) tell({ ev: 'timer-default', seconds: timer })
	})
}
