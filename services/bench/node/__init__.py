"""bench-node: a node beside llama.cpp's own server and its native limit, in one run."""
