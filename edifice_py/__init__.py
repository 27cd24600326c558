"""Variational autoencoders with the numbers of Elixir's `Edifice.Generative.VAE`, in JAX.

`edifice_py.generative.vae` and `vqvae` are the API, `edifice_py.random` its random numbers
(Nx.Random), and `edifice_py.core` the one place where the formulas stand.
"""

from edifice_py import random as random
from edifice_py.generative import vae as vae
from edifice_py.generative import vqvae as vqvae

__version__ = "0.1.0"
__all__ = ["random", "vae", "vqvae"]
