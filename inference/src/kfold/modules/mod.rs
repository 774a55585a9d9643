//! The modules of the model, one a file, as the reference names them.
