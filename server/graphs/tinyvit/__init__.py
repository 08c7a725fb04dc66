"""The encoder of MobileSAM, a TinyViT: read from its stock graph, and written anew."""
