"""Golden cases of VAE numerics, and the runner that holds implementations against them."""
