"""Methods for inference: they use running statistics, change nothing, take what is documented."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from artifex_compat.generative_models.models.vae import (
    VAE,
    VQVAE,
    ConditionalVAE,
    MLPDecoder,
    MLPEncoder,
)
from edifice_py.core import gaussian
from tests.artifex_compat.make import IMAGE, MODELS, by_config, by_parts, images, parts, state_of

CALLS = {
    "encode": lambda m, x: m.encode(x)[0],
    "reconstruct": lambda m, x: m.reconstruct(x, deterministic=True),
    "sample": lambda m, _: m.sample(3),
    "generate": lambda m, _: m.generate(3),
    "interpolate": lambda m, x: m.interpolate(x[0], x[1], steps=3),
    "latent_traversal": lambda m, x: m.latent_traversal(x[0], 1, steps=3),
}
SHAPES = {
    "encode": (3, 4),
    **dict.fromkeys(["reconstruct", "sample", "generate"], (3, *IMAGE)),
    **dict.fromkeys(["interpolate", "latent_traversal"], (3, *IMAGE)),
}
WITH_STATE = {
    "encoder": {"use_batch_norm": True, "dropout_rate": 0.3},
    "decoder": {"batch_norm": True, "dropout_rate": 0.3},
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("call", CALLS)
def test_every_method_gives_its_shape_and_changes_no_state(model, call):
    made = by_config(model, **WITH_STATE)
    made(images())
    before = state_of(made)
    assert CALLS[call](made, images()).shape == SHAPES[call]
    after = state_of(made)
    assert before.keys() == after.keys()
    for path, value in before.items():
        np.testing.assert_array_equal(value, after[path], err_msg=str(path))


@pytest.mark.parametrize("encoder_type", ["dense", "cnn", "resnet", "spatial"])
@pytest.mark.parametrize("model", MODELS)
def test_no_example_gives_an_empty_array(model, encoder_type):
    if model is ConditionalVAE and encoder_type == "spatial":
        pytest.skip("labels cannot join latents on a grid")
    made = by_config(model, encoder_type=encoder_type)
    assert made.sample(0).shape == (0, *IMAGE)
    assert made.generate(0).shape == (0, *IMAGE)
    none = images(0)
    assert made.reconstruct(none).shape == (0, *IMAGE)
    assert made.decode(made.encode(none)[0]).shape == (0, *IMAGE)


@pytest.mark.parametrize("call", ["encode", "reconstruct", "interpolate", "latent_traversal"])
def test_running_statistics_are_used_whatever_the_mode(call):
    model = by_config(VAE, **WITH_STATE)
    model(images())
    in_training = CALLS[call](model, images())
    model.eval()
    np.testing.assert_array_equal(in_training, CALLS[call](model, images()))


def test_the_forward_pass_uses_the_batch_and_moves_the_running_statistics():
    model = by_config(VAE)
    before = state_of(model)
    model(images())
    moved = [p for p, v in state_of(model).items() if not np.array_equal(v, before[p])]
    assert sorted(path[-1] for path in moved) == ["mean", "var"]
    model.eval()
    before = state_of(model)
    model(images())
    assert all(np.array_equal(v, before[p]) for p, v in state_of(model).items())


def test_interpolation_of_a_batch_normed_model_depends_on_its_ends():
    model = by_config(VAE)
    frames = model.interpolate(images()[0], images()[1], steps=4)
    assert not jnp.array_equal(frames[0], frames[-1])


@pytest.mark.parametrize("shape", [(5,), (4, 3), (4, 3, 1), (2, 2, 3, 1)])
def test_single_examples_of_every_rank(shape):
    rngs = nnx.Rngs(0)
    encoder = MLPEncoder([7], 4, input_dim=shape, rngs=rngs)
    model = VAE(encoder, MLPDecoder([7], shape, 4, rngs=rngs), 4, rngs=rngs)
    x = images(2, shape)
    np.testing.assert_array_equal(model.interpolate(x[0], x[1]), model.interpolate(x[:1], x[1:]))
    assert model.latent_traversal(x[0], 0, steps=5).shape == (5, *shape)


def test_interpolation_ends_at_the_reconstructions_and_runs_straight():
    model = by_parts(VAE)
    x = images(2, (48,))
    frames = model.interpolate(x[0], x[1], steps=3)
    ends = model.reconstruct(x, deterministic=True)
    np.testing.assert_allclose(frames[np.array([0, 2])], ends, rtol=1e-6)
    mean, _ = model.encode(x)
    np.testing.assert_allclose(frames[1], model.decode(mean.mean(0, keepdims=True))[0], rtol=1e-6)


def test_a_traversal_moves_one_latent_number_over_the_range():
    model = by_parts(VAE)
    x = images(1, (48,))
    frames = model.latent_traversal(x[0], 2, (-1.0, 2.0), 4)
    z = jnp.repeat(model.encode(x)[0], 4, axis=0).at[:, 2].set(jnp.array([-1.0, 0.0, 1.0, 2.0]))
    np.testing.assert_allclose(frames, model.decode(z), rtol=1e-6)


@pytest.mark.parametrize("dim", [-1, 4, 1.5])
def test_a_dimension_out_of_range_is_refused(dim):
    with pytest.raises(ValueError, match=r"Dimension .* out of range: dim must be from 0 to 3"):
        by_parts(VAE).latent_traversal(images(1, (48,))[0], dim)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m.sample(-1), "n_samples must be a non-negative Python int"),
        (
            lambda m: m.interpolate(jnp.ones(5), jnp.ones(48)),
            r"x1 must be one example of shape \[48\]",
        ),
        (lambda m: m.interpolate(jnp.ones(48), jnp.ones(48), steps=0), "steps must be a positive"),
        (lambda m: m.reconstruct(jnp.ones((2, 47))), "x must have the shape"),
        (lambda m: m.reparameterize(jnp.ones((2, 4)), jnp.ones((2, 3))), "log_var"),
    ],
)
def test_what_the_methods_refuse(call, words):
    with pytest.raises(ValueError, match=words):
        call(by_parts(VAE))


def test_documented_static_arguments_compile():
    model = by_config(VAE)
    x = images()
    sample = nnx.jit(lambda m, n: m.sample(n_samples=n), static_argnums=1)
    assert sample(model, 5).shape == (5, *IMAGE)
    reconstruct = nnx.jit(lambda m, x: m.reconstruct(x, deterministic=True))
    wanted = model.reconstruct(x, deterministic=True)
    np.testing.assert_allclose(reconstruct(model, x), wanted, rtol=1e-5)
    traverse = nnx.jit(
        lambda m, x, dim, steps: m.latent_traversal(x, dim=dim, steps=steps), static_argnums=(2, 3)
    )
    assert traverse(model, x[0], 1, 6).shape == (6, *IMAGE)
    walk = nnx.jit(lambda m, a, b, n: m.interpolate(a, b, steps=n), static_argnames="n")
    assert walk(model, x[0], x[1], n=4).shape == (4, *IMAGE)


def test_noise_comes_from_the_sample_stream_or_from_the_rngs_that_are_given():
    model = by_config(VAE, encoder={"use_batch_norm": False})
    zeros = jnp.zeros((2, 4))
    given = model.reparameterize(zeros, zeros, rngs=nnx.Rngs(sample=11))
    key = jax.random.fold_in(jax.random.key(11), 0)
    np.testing.assert_array_equal(given, jax.random.normal(key, (2, 4)))
    model.rngs = nnx.Rngs(3)
    np.testing.assert_array_equal(
        model.reparameterize(zeros, zeros), model.reparameterize(zeros, zeros, rngs=nnx.Rngs(3))
    )
    x = images()
    first, second = (model(x, rngs=nnx.Rngs(5))["z"] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_streams_fall_back_to_the_one_that_there_is():
    p = parts()
    model = VAE(p["encoder"], p["decoder"], 4, rngs=nnx.Rngs(params=0))
    assert model(images(2, (48,)))["z"].shape == (2, 4)


def test_log_variances_are_clipped_where_noise_is_scaled():
    model = by_parts(VAE)
    mean, huge = jnp.zeros((2, 4)), jnp.full((2, 4), 100.0)
    at_limit = model.reparameterize(mean, jnp.full((2, 4), 20.0), rngs=nnx.Rngs(0))
    np.testing.assert_array_equal(model.reparameterize(mean, huge, rngs=nnx.Rngs(0)), at_limit)
    gradient = jax.grad(lambda v: jnp.sum(model.reparameterize(mean, v, rngs=nnx.Rngs(0))))(huge)
    assert not jnp.any(gradient)


def test_temperature_scales_the_prior():
    model = by_parts(VAE)
    model.rngs = nnx.Rngs(4)
    cold = model.sample(3, temperature=0.0)
    np.testing.assert_array_equal(cold, jnp.broadcast_to(model.decode(jnp.zeros((1, 4))), (3, 48)))
    hot = model.sample(3, temperature=2.0, rngs=nnx.Rngs(4))
    z = 2.0 * jax.random.normal(jax.random.fold_in(jax.random.key(4), 0), (3, 4))
    np.testing.assert_array_equal(hot, model.decode(z))


class Doubled(MLPEncoder):
    """A user's encoder, which gives a dictionary, as the documents allow."""

    def __call__(self, x):
        """Twice the mean."""
        mean, log_var = super().__call__(x)
        return {"mean": 2 * mean, "logvar": log_var}


class Overridden(VAE):
    """A user's model, with an encode of its own."""

    def encode(self, x):
        """The mean and 1."""
        mean, log_var = super().encode(x)
        return mean + 1, log_var


def test_networks_and_methods_of_users():
    rngs = nnx.Rngs(0)
    p = parts()
    x = images(2, (48,))
    plain = VAE(**p, rngs=rngs)
    doubled = VAE(Doubled([7, 5], 4, input_dim=48, rngs=nnx.Rngs(0)), p["decoder"], 4, rngs=rngs)
    np.testing.assert_array_equal(doubled.encode(x)[0], 2 * plain.encode(x)[0])
    overridden = Overridden(**p, rngs=rngs)
    np.testing.assert_array_equal(overridden(x)["mean"], plain(x)["mean"] + 1)
    had, wanted = (model.reconstruct(x, deterministic=True) for model in (overridden, plain))
    assert not jnp.array_equal(had, wanted)


@pytest.mark.parametrize(
    ("gives", "words"),
    [
        (lambda m, _: m, "encoder must give"),
        (lambda m, v: (m, v, v), "encoder must give"),
        (lambda m, _: {"mean": m}, "encoder must give"),
        (lambda m, v: (m, v[:, :1]), "log_var"),
    ],
)
def test_an_encoder_that_gives_something_else_is_refused(gives, words):
    p = parts()
    model = VAE(lambda x: gives(*p["encoder"](x)), p["decoder"], 4, rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=words):
        model(images(2, (48,)))


def test_the_documented_keys_of_a_forward_pass():
    for model in MODELS:
        outputs = by_parts(model)(images(3, (48,)))
        for name, alias in (("reconstructed", "reconstruction"), ("log_var", "logvar")):
            np.testing.assert_array_equal(outputs[name], outputs[alias])
        assert outputs["z"].shape == outputs["mean"].shape == (3, 4)


def test_the_kl_of_a_model_is_that_of_the_core():
    model = by_parts(ConditionalVAE)
    outputs = model(images(3, (48,)), jnp.array([0, 1, 2]))
    wanted = jnp.mean(gaussian.kl_per_sample(outputs["mean"], outputs["log_var"]))
    loss = model.loss_fn(x=images(3, (48,)), outputs=outputs)
    np.testing.assert_allclose(loss["kl_loss"], wanted, rtol=1e-6)


def test_vq_state_keeps_its_structure_in_every_mode():
    model = by_config(VQVAE, use_ema=True, dead_code_threshold=0.1, kmeans_init=True)
    before = nnx.graphdef(model)
    model(images())
    model.sample(2)
    assert nnx.graphdef(model) == before
