//! AtlasFold and AtlasFold-M: apo structures of single chains and of pairs from the language model alone.
