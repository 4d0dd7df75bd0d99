//! Response curves as pure mathematics: what each channel returned by week, and what one more unit would.
