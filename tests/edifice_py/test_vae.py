"""The API of Edifice.Generative.VAE: options, errors, types, and that JAX works on all of it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from edifice_py import random
from edifice_py.activations import ACTIVATIONS
from edifice_py.generative import vae

SMALL = {"input_size": 6, "latent_size": 3, "encoder_sizes": [5], "decoder_sizes": [4]}


def test_defaults_are_those_of_the_document():
    encoder, decoder = vae.build(input_size=12)
    layers = [(d.name, d.inputs, d.outputs) for d in encoder.trunk + encoder.heads]
    assert layers == [
        ("encoder_dense_0", 12, 256),
        ("encoder_dense_1", 256, 128),
        ("mu", 128, 32),
        ("log_var", 128, 32),
    ]
    layers = [(d.name, d.inputs, d.outputs) for d in decoder.trunk + decoder.heads]
    assert layers == [
        ("decoder_dense_0", 32, 128),
        ("decoder_dense_1", 128, 256),
        ("decoder_output", 256, 12),
    ]
    assert encoder.activation == decoder.activation == "relu"


def test_parameters_are_a_plain_pytree_in_layer_order():
    encoder, _ = vae.build(**SMALL)
    params = encoder.init(0)
    assert list(params) == ["encoder_dense_0", "mu", "log_var"]
    assert params["mu"]["kernel"].shape == (5, 3)
    assert params["mu"]["bias"].tolist() == [0, 0, 0]
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}


@pytest.mark.parametrize("seed", [np.int64(7), jnp.int32(7), random.key(7), jax.random.key(7)])
def test_a_seed_may_be_an_integer_of_any_kind_or_a_key(seed):
    encoder, _ = vae.build(**SMALL)
    jax.tree.map(np.testing.assert_array_equal, encoder.init(seed), encoder.init(7))


def test_a_kernel_depends_on_the_seed_and_its_name_only():
    encoder, decoder = vae.build(**SMALL)
    alone = vae.build_decoder(output_size=6, latent_size=3, decoder_sizes=[4])
    jax.tree.map(np.testing.assert_array_equal, decoder.init(3), alone.init(3))
    assert not np.array_equal(encoder.init(3)["mu"]["kernel"], encoder.init(4)["mu"]["kernel"])
    assert not np.array_equal(encoder.init(3)["mu"]["kernel"], encoder.init(3)["log_var"]["kernel"])


def test_init_works_inside_jit():
    encoder, _ = vae.build(**SMALL)
    inside = jax.jit(encoder.init)(random.key(3))
    jax.tree.map(np.testing.assert_array_equal, inside, encoder.init(3))


def test_missing_sizes_are_named():
    with pytest.raises(KeyError, match="build_encoder needs input_size"):
        vae.build(latent_size=4)
    with pytest.raises(KeyError, match="build_encoder needs input_size"):
        vae.build_encoder()
    with pytest.raises(KeyError, match="build_decoder needs output_size or input_size"):
        vae.build_decoder(latent_size=4)


def test_decoder_takes_either_size_and_prefers_its_own():
    assert vae.build_decoder(input_size=5).heads[0].outputs == 5
    assert vae.build_decoder(input_size=5, output_size=None).heads[0].outputs == 5
    assert vae.build_decoder(input_size=5, output_size=7).heads[0].outputs == 7


@pytest.mark.parametrize("name", ["input_size", "latent_size"])
@pytest.mark.parametrize("size", [0, -3, 2.0, "8", True, [8]])
def test_a_size_must_be_a_positive_integer(name, size):
    with pytest.raises(ValueError, match=f"{name} must be a positive integer, not"):
        vae.build(**{**SMALL, name: size})


@pytest.mark.parametrize("name", ["encoder_sizes", "decoder_sizes"])
@pytest.mark.parametrize("sizes", [8, "88", [8, 0], [8, -1], [8, 1.5], [[8]], None])
def test_sizes_must_be_a_list_of_positive_integers(name, sizes):
    with pytest.raises(ValueError, match=f"{name} must be a list of positive integers, not"):
        vae.build(**{**SMALL, name: sizes})


def test_an_unknown_activation_gets_the_nearest():
    with pytest.raises(ValueError, match=r"not 'rleu'; did you mean 'relu'\?"):
        vae.build(**SMALL, activation="rleu")
    with pytest.raises(ValueError, match="activation must be one of celu, elu, exp"):
        vae.build(**SMALL, activation=jax.nn.relu)


def test_an_unknown_option_gets_the_nearest():
    with pytest.raises(TypeError, match=r"build has no option 'latent_dim'.*'latent_size'"):
        vae.build(**SMALL, latent_dim=3)
    with pytest.raises(TypeError, match=r"build_decoder has no option 'out_size'.*'output_size'"):
        vae.build_decoder(out_size=3)


def test_one_set_of_options_serves_all_three():
    encoder, decoder = vae.build(**SMALL)
    assert vae.build_encoder(**SMALL) == encoder
    assert vae.build_decoder(**SMALL) == decoder


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_makes_a_network_that_trains(activation):
    encoder, decoder = vae.build(**SMALL, activation=activation)
    params = {"encoder": encoder.init(0), "decoder": decoder.init(0)}
    x = jnp.linspace(-1, 1, 12).reshape(2, 6)

    def objective(params):
        posterior = encoder.apply(params["encoder"], x)
        z, _ = vae.reparameterize(posterior["mu"], posterior["log_var"], random.key(1))
        output = decoder.apply(params["decoder"], z)
        return vae.loss(output, x, posterior["mu"], posterior["log_var"])

    value, gradients = jax.jit(jax.value_and_grad(objective))(params)
    assert jnp.isfinite(value)
    assert all(jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(gradients))


def test_optax_trains_the_parameters_as_they_are():
    encoder, decoder = vae.build(**SMALL)
    params = {"encoder": encoder.init(0), "decoder": decoder.init(0)}
    optimizer = optax.adam(1e-2)
    x = jax.random.normal(jax.random.key(0), (16, 6))

    @jax.jit
    def step(params, state, key):
        def objective(params):
            posterior = encoder.apply(params["encoder"], x)
            z, new_key = vae.reparameterize(posterior["mu"], posterior["log_var"], key)
            output = decoder.apply(params["decoder"], z)
            value = vae.loss(output, x, posterior["mu"], posterior["log_var"], beta=0.01)
            return value, new_key

        (value, key), gradients = jax.value_and_grad(objective, has_aux=True)(params)
        with jax.numpy_dtype_promotion("standard"):  # optax 0.2 promotes its step count
            updates, state = optimizer.update(gradients, state)
        return optax.apply_updates(params, updates), state, key, value

    carry, values = (params, optimizer.init(params), random.key(0)), []
    for _ in range(100):
        *carry, value = step(*carry)
        values.append(value)
    assert values[-1] < 0.7 * values[0]
    assert step._cache_size() == 1


def test_vmap_over_rows_is_the_batch():
    encoder, decoder = vae.build(**SMALL)
    x = jnp.linspace(-1, 1, 24).reshape(4, 6)
    params = encoder.init(0)
    rows = jax.vmap(lambda row: encoder.apply(params, row))(x)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, 1e-6), rows, encoder.apply(params, x)
    )
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *map(decoder.init, range(3)))
    assert jax.vmap(decoder.apply, (0, None))(stacked, jnp.ones((2, 3))).shape == (3, 2, 6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_results_have_the_type_of_their_inputs(dtype):
    with jax.enable_x64(dtype == "float64"):
        mu = jnp.asarray([[0.5, -1.0, 2.0]], dtype)
        log_var = jnp.asarray([[0.0, 0.25, -1.0]], dtype)
        z, _ = vae.reparameterize(mu, log_var, random.key(0))
        assert z.dtype == dtype
        assert vae.kl_divergence(mu, log_var).dtype == dtype
        # Nx reads beta as a float32, which 16-bit numbers are promoted to.
        wide = dtype if dtype == "float64" else "float32"
        assert vae.loss(z, mu, mu, log_var).dtype == wide
        encoder, _ = vae.build(input_size=3, encoder_sizes=[4])
        params = jax.tree.map(lambda leaf: leaf.astype(dtype), encoder.init(0))
        assert encoder.apply(params, mu)["mu"].dtype == dtype
        assert encoder.apply(encoder.init(0), mu)["mu"].dtype == wide


def test_integers_count_as_float32():
    mu, log_var = jnp.array([[1, 2]]), jnp.array([[0, 1]])
    for enabled in (False, True):
        with jax.enable_x64(enabled):
            assert vae.kl_divergence(mu, log_var).dtype == jnp.float32
            assert vae.loss(mu, log_var, mu, log_var, beta=2).dtype == jnp.float32
            z, _ = vae.reparameterize(mu, log_var, random.key(0))
            wanted, _ = vae.reparameterize(
                mu.astype(jnp.float32), log_var.astype(jnp.float32), random.key(0)
            )
            np.testing.assert_array_equal(z, wanted)
            assert z.dtype == jnp.float32


def test_a_float_beta_is_float32_as_in_nx():
    with jax.enable_x64(True):
        one = np.ones((1, 1))
        total = vae.loss(one, one, one, 0 * one, beta=0.1)
        assert float(total) == 0.5 * float(np.float32(0.1))
        assert float(vae.loss(one, one, one, 0 * one, beta=np.array(0.1))) == 0.05


def test_a_traced_beta_gives_what_a_number_gives():
    half = jnp.ones((1, 2), jnp.float16)
    with jax.enable_x64(True):
        wide = np.ones((1, 1))
        for array in (half, wide):
            loss = lambda beta, a=array: vae.loss(a, 2 * a, a, a, beta=beta)  # noqa: E731
            alone, traced, weak = loss(0.1), jax.jit(loss)(0.1), loss(jnp.asarray(0.1))
            assert alone.dtype == traced.dtype == weak.dtype
            assert alone == traced == weak
        assert vae.loss(wide, wide, wide, 0 * wide, beta=np.float64(0.1)) == 0.05


def test_beta_may_be_differentiated():
    one = jnp.ones((1, 2))
    gradient = jax.grad(lambda beta: vae.loss(one, one, one, 0 * one, beta=beta))(0.5)
    assert gradient == 1.0


def test_near_the_prior_the_divergence_keeps_its_digits():
    """The order of the document's sum is 12 to 23 % off at this size."""
    generator = np.random.default_rng(0)
    mu, log_var = generator.normal(0, 1e-4, (2, 16, 8)).astype(np.float32)
    m, v = mu.astype(np.float64), log_var.astype(np.float64)
    wanted = np.mean(np.sum(0.5 * (m**2 + np.expm1(v) - v), axis=-1))
    np.testing.assert_allclose(vae.kl_divergence(mu, log_var), wanted, rtol=1e-6)


def test_log_var_is_not_clipped():
    z, _ = vae.reparameterize(np.zeros(2, np.float32), np.full(2, 60, np.float32), random.key(0))
    noise, _ = random.normal(random.key(0), (2,))
    np.testing.assert_allclose(z, noise * np.exp(np.float32(30)), rtol=1e-6)


def test_integers_beyond_32_bits_are_numbers():
    big, one = np.array([[2**40, -(2**40)]]), jnp.zeros((1, 2))
    assert vae.loss(big, np.zeros_like(big), one, one) == np.float32(2.0**80)
    assert vae.loss(one, one, one + 1, one, beta=2**40) == np.float32(2**40)
