"""Every figure the README quotes, re-runnable, with Baileys in the same run: `make bench`."""
