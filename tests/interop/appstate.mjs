// What Baileys reads in the state an account's devices share, and writes to it.
//   in:  {do: "modify" | "star" | "rename", ...}    out: {ev: "chat" | "starred" | "hidden" | "contact" | "renamed" | …}

export function listenToAppState(current, tell) {
	current.ev.on('chats.update', chats => {
		for (const { id, archived, pinned, muteEndTime, unreadCount } of chats) {
			if ([archived, pinned, muteEndTime, unreadCount].every(value => value === undefined)) continue
			const pin = pinned === undefined ? {} : { pinned: pinned !== null }
			const mute = muteEndTime === undefined ? {} : { muteEnd: muteEndTime }
			tell({ ev: 'chat', chat: id, archived, unread: unreadCount, ...pin, ...mute })
		}
	})
	current.ev.on('chats.delete', ids => { for (const id of ids) tell({ ev: 'chat-deleted', chat: id }) })
	current.ev.on('chats.lock', ({ id, locked }) => tell({ ev: 'locked', chat: id, locked }))
	current.ev.on('messages.update', updates => {
		for (const { key, update } of updates) {
			if (update.starred !== undefined) tell({ ev: 'starred', id: key.id, chat: key.remoteJid, starred: update.starred })
		}
	})
	current.ev.on('messages.delete', item => { for (const key of item.keys ?? []) tell({ ev: 'hidden', id: key.id, chat: key.remoteJid }) })
	current.ev.on('contacts.upsert', contacts => {
		for (const { id, name, lid } of contacts) if (name) tell({ ev: 'contact', contact: id, name, lid })
	})
	current.ev.on('labels.edit', ({ id, name, color, deleted }) => tell({ ev: 'label', id, name, color, deleted }))
	current.ev.on('labels.association', ({ type, association }) => tell({ ev: 'labeled', how: type, ...association, type: undefined }))
	current.ev.on('settings.update', ({ setting, value }) => tell({ ev: 'setting', setting, value }))
	current.ev.on('creds.update', ({ me, accountSettings, myAppStateKeyId }) => {
		if (me?.name) tell({ ev: 'renamed', name: me.name })
		if (accountSettings) tell({ ev: 'setting', setting: 'unarchiveChats', value: accountSettings.unarchiveChats })
		if (myAppStateKeyId) tell({ ev: 'keys', id: myAppStateKeyId })
	})
}

export function appStateActions({ tell, socket }) {
	return {
		async modify({ change, chat, ref }) {
			await socket().chatModify(change, chat)
			tell({ ev: 'modified', ref })
		},
		async rename({ name, ref }) {
			await socket().updateProfileName(name)
			tell({ ev: 'modified', ref })
		},
		async resync({ ref }) {
			await socket().resyncAppState(
				['critical_block', 'critical_unblock_low', 'regular_high', 'regular_low', 'regular'], false)
			tell({ ev: 'modified', ref })
		}
	}
}
