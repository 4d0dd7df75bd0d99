//! Checks of the market as a whole.
