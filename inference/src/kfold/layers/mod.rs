//! Layers that several modules share: attention with pair bias, atom and token transformers, embeddings.
