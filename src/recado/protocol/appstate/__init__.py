"""The state an account's devices share: sealed values, the hash over all of them, patches, and what they say."""
