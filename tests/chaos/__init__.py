"""Many accounts on several workers, and all that may go wrong with them at once: docs/explanation/chaos.md."""
