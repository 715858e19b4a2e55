"""People, as the client of one account meets them: who they are, what they show, and whom the account trusts or not."""
