"""EfficientSAM's torch modules, under the names that its published checkpoints use; there is no package of them."""
