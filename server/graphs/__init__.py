"""samserve's own SAM decoder graphs, built from the weights of a stock one; the only place that imports onnx."""
