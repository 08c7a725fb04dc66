"""Checkpoint -> verified ONNX graphs. torch is imported here and nowhere else."""
