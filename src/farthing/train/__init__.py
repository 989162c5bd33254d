"""The one training loop, its resumable checkpoints, and the optimizers it needs."""
