//! From a query to the model's input: tokens, atoms, reference conformers, priors.
