//! The pretrained encoders whose hidden states the trunk merges: AtlasLM, the RNA model, TriProRep.
