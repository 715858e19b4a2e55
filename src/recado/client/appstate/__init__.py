"""The state that the account's devices share, kept up with and changed: keys, collections, and the facts they make."""
