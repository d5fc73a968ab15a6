"""One child process per model: a llama.cpp context and the batching loop that owns it."""
