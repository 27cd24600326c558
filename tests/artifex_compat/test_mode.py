"""The mode that a user's override sees, compiled or not, in any order of calls."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    BetaVAE,
    BetaVAEWithCapacity,
    ConditionalEncoder,
    ConditionalVAE,
)
from tests.artifex_compat.make import LATENT, by_config, images, parts, state_of

X = images()


def overridden(base, method, *, compiled, with_mode):
    """A subclass whose `encode` or `decode` is the user's own, as documented or with the mode."""

    def plain(self, x):
        return getattr(super(made, self), method)(x)

    def moded(self, x, *, rngs=None, deterministic=None):
        return getattr(super(made, self), method)(x, rngs=rngs, deterministic=deterministic)

    function = moded if with_mode else plain
    made = type("Mine", (base,), {method: nnx.jit(function) if compiled else function})
    return made


def with_statistics(kind):
    return by_config(kind, encoder={"use_batch_norm": True}, decoder={"batch_norm": True})


def running(model, network):
    return [
        value for path, value in state_of(model).items() if path[0] == network and "mean" in path
    ]


def moves(model, network, call):
    before = running(model, network)
    call(model)
    return not all(map(np.array_equal, before, running(model, network)))


FORWARD, INFERENCE, EVAL = "forward", "inference", "forward in eval"
CALLS = {
    FORWARD: lambda model: model(X),
    INFERENCE: lambda model: (model.encode(X), model.decode(jnp.ones((2, LATENT)))),
    EVAL: lambda model: (model.eval(), model(X), model.train()),
}


@pytest.mark.parametrize(
    ("base", "compiled", "with_mode"),
    [
        *[(VAE, compiled, moded) for compiled in (True, False) for moded in (True, False)],
        *[(base, True, False) for base in (BetaVAE, BetaVAEWithCapacity, ConditionalVAE, VQVAE)],
    ],
)
def test_only_the_forward_pass_in_training_mode_moves_the_running_statistics(
    base, compiled, with_mode
):
    for method, network in (("encode", "encoder"), ("decode", "decoder")):
        model = with_statistics(overridden(base, method, compiled=compiled, with_mode=with_mode))
        for order in list(permutations(CALLS))[:: 1 if base is VAE else 3]:
            for name in order:
                moved = moves(model, network, CALLS[name])
                assert moved == (name == FORWARD), (method, order, name)


class Counting(VAE):
    """A user's model that keeps something in its forward pass."""

    def encode(self, x):
        """It counts its calls, and forgets what was there."""
        self.calls = getattr(self, "calls", 0) + 1
        self.last = nnx.Intermediate(x)
        vars(self).pop("stale", None)
        return super().encode(x)


def test_what_an_override_sets_is_set_on_the_model():
    model = Counting(**parts(), rngs=nnx.Rngs(0))
    model.stale = 3
    x = X.reshape(3, -1)
    model(x)
    model.encode(x)
    assert model.calls == 2
    assert not hasattr(model, "stale")
    assert not model.in_forward_pass
    np.testing.assert_array_equal(model.last[...], x)


class OwnCall(VAE):
    """A user's own forward pass."""

    def __call__(self, x, *, rngs=None):
        """From the public methods."""
        mean, log_var = self.encode(x, rngs=rngs)
        z = self.reparameterize(mean, log_var, rngs=rngs)
        return {"reconstructed": self.decode(z), "mean": mean, "log_var": log_var, "z": z}


class Mixin:
    """A forward pass from elsewhere."""

    def __call__(self, x):
        """From the public methods."""
        mean, log_var = self.encode(x)
        return {"reconstructed": self.decode(mean), "mean": mean, "log_var": log_var}


class Mixed(Mixin, VAE):
    """A model with it."""


@pytest.mark.parametrize("kind", [OwnCall, Mixed])
def test_a_users_own_forward_pass_trains_too(kind):
    model = with_statistics(kind)
    assert moves(model, "encoder", lambda model: model(X))
    assert not moves(model, "encoder", CALLS[INFERENCE])
    assert not moves(model, "encoder", CALLS[EVAL])
    run = nnx.jit(lambda model, x: model(x)["mean"])
    assert moves(model, "encoder", lambda model: run(model, X))


class Moded(VAE):
    """A user's model whose own default is training."""

    def encode(self, x, *, deterministic=False):
        """Its mode is what its mean shows."""
        mean, log_var = super().encode(x, deterministic=deterministic)
        return jnp.full_like(mean, float(deterministic)), log_var

    def decode(self, z, *, deterministic=False):
        """The same."""
        return jnp.full((len(z), 48), float(deterministic)) + 0 * super().decode(z)


def test_an_override_is_given_its_mode():
    model = Moded(**parts(), rngs=nnx.Rngs(0))
    x = X.reshape(3, -1)
    outputs = model(x)
    assert not jnp.any(outputs["mean"])
    assert not jnp.any(outputs["reconstructed"])
    for inferred in (
        model.reconstruct(x),
        model.sample(2),
        model.generate(2),
        model.interpolate(x[0], x[1]),
        model.latent_traversal(x[0], 0),
    ):
        assert jnp.all(inferred == 1)
    model.eval()
    outputs = model(x)
    assert jnp.all(outputs["mean"] == 1)
    assert jnp.all(outputs["reconstructed"] == 1)


class Switched(nnx.Module):
    """A user's encoder whose own default is inference."""

    def __call__(self, x, *, deterministic=True):
        """Its mode is what its mean shows."""
        mean = jnp.full((x.shape[0], LATENT), float(deterministic))
        return mean, mean


@pytest.mark.parametrize("conditional", [False, True])
def test_a_network_is_given_its_mode_through_a_wrapper_too(conditional):
    rngs, decoder = nnx.Rngs(0), parts()["decoder"]
    if conditional:
        encoder = ConditionalEncoder(Switched(), 3, rngs=rngs)
        model = ConditionalVAE(encoder, decoder, LATENT, rngs=rngs)
    else:
        model = VAE(Switched(), decoder, LATENT, rngs=rngs)
    x = X.reshape(3, -1)
    assert not jnp.any(model(x)["mean"])
    assert jnp.all(model.encode(x)[0] == 1)
    model.eval()
    assert jnp.all(model(x)["mean"] == 1)


def test_a_sequence_of_layers_is_a_network_in_every_mode():
    rngs = nnx.Rngs(0)
    layers = nnx.Linear(LATENT, 5, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)
    decoder = nnx.Sequential(*layers, nnx.relu, nnx.Linear(5, 48, rngs=rngs))
    model = VAE(parts()["encoder"], decoder, LATENT, rngs=rngs)
    x = X.reshape(3, -1)
    outputs = model(x)
    still = model.decode(outputs["z"])
    assert not jnp.array_equal(outputs["reconstructed"], still)
    np.testing.assert_array_equal(model.decode(outputs["z"]), still)


def test_a_forward_pass_inside_of_a_gradient_and_of_threads_of_one_model():
    model = with_statistics(overridden(VAE, "encode", compiled=False, with_mode=False))
    model.eval()
    gradient = jax.grad(lambda x: jnp.sum(model(x, rngs=nnx.Rngs(0))["mean"]))(X)
    assert jnp.any(gradient != 0)
    wanted = model.encode(X)[0]
    model.train()
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(model.reconstruct, X, deterministic=True) for _ in range(4)]
        calls += [pool.submit(model.encode, X) for _ in range(8)]
        for call in calls[4:]:
            np.testing.assert_allclose(call.result()[0], wanted, rtol=1e-6)


def test_a_view_for_evaluation_trains_nothing():
    try:
        nnx.view(nnx.Rngs(0), deterministic=True)
    except ValueError:
        pass  # streams have no such mode
    except (AttributeError, TypeError):
        pytest.skip("this flax has no nnx.view that takes random streams")
    model = by_config(VQVAE, decoder={"batch_norm": True}, use_ema=True, kmeans_init=True)
    before = state_of(model)
    nnx.view(model, deterministic=True, use_running_average=True)(X)
    for path, value in state_of(model).items():
        np.testing.assert_array_equal(value, before[path], err_msg=str(path))
    assert not model.deterministic
