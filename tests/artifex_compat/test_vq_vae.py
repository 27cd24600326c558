"""The VQ-VAE: what is quantized, how its codebook moves, and what it draws from."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from artifex_compat.generative_models.core.configuration import VQVAEConfig
from artifex_compat.generative_models.models.vae import VQVAE
from edifice_py.core import quantize
from tests.artifex_compat.make import (
    IMAGE,
    by_config,
    by_parts,
    decoder_config,
    encoder_config,
    images,
    parts,
)

X = images(5, (48,))


def codes_of(model):
    return model.embeddings.embedding[...]


def set_codes(model, codes):
    model.embeddings.embedding[...] = jnp.asarray(codes, jnp.float32)


def test_the_documented_outputs():
    outputs = by_parts(VQVAE)(X)
    assert outputs["reconstructed"].shape == (5, 48)
    for name in ("z_e", "encoding", "quantized", "z", "mean", "log_var"):
        assert outputs[name].shape == (5, 4), name
    assert outputs["encoding_indices"].shape == (10,)
    counted = np.bincount(outputs["encoding_indices"], minlength=6)
    np.testing.assert_array_equal(outputs["usage"], counted)
    assert 1 <= outputs["perplexity"] <= 6
    assert outputs["quantization_aux"]["commitment_loss"] == outputs["commitment_loss"]
    assert not jnp.any(outputs["log_var"])


@pytest.mark.parametrize(
    ("encoder_type", "width"),
    [*[("dense", width) for width in (1, 2, 3, 4, 64)], ("cnn", 3), ("spatial", 3), ("spatial", 2)],
)
def test_codes_never_straddle_examples(encoder_type, width):
    x = images(5)
    options = {"num_embeddings": 6, "embedding_dim": width, "encoder_type": encoder_type}
    model = by_config(VQVAE, encoder={"use_batch_norm": False}, **options)
    vectors = 4 if encoder_type == "spatial" else 1
    together = model(x)
    codes = vectors * (4 // width if 4 % width == 0 else 1)
    assert together["encoding_indices"].shape == (5 * codes,)
    for name in ("z_e", "encoding", "quantized", "z", "mean"):
        assert together[name].shape == model.encode(x)[0].shape, name
    for i in range(5):
        alone = model(x[i : i + 1])
        np.testing.assert_allclose(together["quantized"][i], alone["quantized"][0], rtol=1e-5)
        indices = together["encoding_indices"][i * codes : (i + 1) * codes]
        np.testing.assert_array_equal(indices, alone["encoding_indices"])
    assert model.sample(3).shape == model.reconstruct(x[:3]).shape == (3, *IMAGE)
    assert model.interpolate(x[0], x[1], steps=2).shape == (2, *IMAGE)
    assert model.latent_traversal(x[0], 3, steps=2).shape == (2, *IMAGE)


def projected(**options):
    return by_parts(VQVAE, **{"embedding_dim": 3, **options})


@pytest.mark.parametrize("options", [{}, {"use_ema": True, "kmeans_init": True}])
def test_projections_are_learned_and_every_part_has_its_gradient(options):
    model = projected(**options)

    def loss(model):
        return model.loss_fn(batch={"x": X})["loss"]

    gradients = nnx.to_flat_state(nnx.grad(loss)(model))
    moved = {path[0] for path, value in gradients if jnp.any(value[...] != 0)}
    codes = set() if options else {"embeddings"}
    assert moved == {"encoder", "decoder", "project_in", "project_out"} | codes
    before = float(loss(model))
    optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)
    step = nnx.jit(lambda model, optimizer: optimizer.update(model, nnx.grad(loss)(model)))
    with jax.numpy_dtype_promotion("standard"):
        for _ in range(30):
            step(model, optimizer)
    assert float(loss(model)) < 0.8 * before


def test_the_codes_are_those_nearest_to_the_projected_encoding():
    model = projected()
    outputs = model(X)
    vectors = model.project_in(outputs["z_e"])
    distances = jnp.linalg.norm(vectors[:, None] - codes_of(model)[None], axis=-1)
    indices = jnp.argmin(distances, axis=-1)
    np.testing.assert_array_equal(outputs["encoding_indices"], indices)
    codes = codes_of(model)[indices]
    np.testing.assert_allclose(outputs["quantized"], model.project_out(codes), rtol=1e-5)
    np.testing.assert_allclose(
        outputs["commitment_loss"], jnp.mean((vectors - codes) ** 2), rtol=1e-5
    )
    np.testing.assert_allclose(model.reconstruct(X), outputs["reconstructed"], rtol=1e-5)
    used = codes_of(model)[jnp.argmax(model.embeddings.usage[...])]
    np.testing.assert_array_equal(model.sample(1, 0.0), model.decode(model.project_out(used[None])))


def test_the_codebook_of_a_projected_model_moves_by_averages_in_the_codes_width():
    model = projected(use_ema=True, ema_decay=0.9)
    old = quantize.MovingCodebook(jnp.ones(6), codes_of(model), codes_of(model))
    outputs = model(X)
    vectors = model.project_in(outputs["z_e"])
    new = quantize.ema_update(old, vectors, outputs["encoding_indices"], 0.9)
    np.testing.assert_allclose(codes_of(model), new.codebook, rtol=1e-5)


def test_the_documented_widths_and_the_defaults():
    wide = VQVAE(**parts(latent=32), num_embeddings=16, embedding_dim=64, rngs=nnx.Rngs(0))
    assert wide(X)["quantized"].shape == (5, 32)
    config = VQVAEConfig(name="model", encoder=encoder_config(), decoder=decoder_config())
    assert VQVAE(config, rngs=nnx.Rngs(0))(images())["quantized"].shape == (3, 4)
    assert VQVAE(**parts(), rngs=nnx.Rngs(0))(X)["encoding_indices"].shape == (5,)
    precise = by_parts(VQVAE, embedding_dim=3, precision="highest")
    assert precise.project_in.precision == precise.project_out.precision == precise.precision


@pytest.mark.parametrize(("width", "words"), [(2, "width 4, or a multiple of 2"), (3, "width 4")])
def test_an_encoding_of_another_width_is_refused(width, words):
    model = by_parts(VQVAE, embedding_dim=width)
    with pytest.raises(ValueError, match=f"encoding must have latent vectors of {words}, not 5"):
        model.quantize(jnp.ones((2, 5)))


def test_a_tie_goes_to_the_lowest_index():
    model = by_parts(VQVAE)
    set_codes(model, [[9, 9], [1, 0], [0, 1], [1, 0], [9, 9], [9, 9]])
    _, aux = model.quantize(jnp.array([[1.0, 0.0, 0.5, 0.5]]))
    assert aux["encoding_indices"].tolist() == [1, 1]


def test_the_gradient_passes_straight_through():
    model = by_parts(VQVAE)
    gradient = jax.grad(lambda e: jnp.sum(3.0 * model.quantize(e)[0]))(jnp.ones((2, 4)))
    np.testing.assert_array_equal(gradient, jnp.full((2, 4), 3.0))


def test_inference_goes_through_the_codebook_without_noise():
    model = by_parts(VQVAE)
    mean, _ = model.encode(X)
    through = model.decode(model.quantize(mean)[0])
    np.testing.assert_array_equal(model.reconstruct(X), through)
    np.testing.assert_array_equal(model.reconstruct(X, deterministic=True), through)
    np.testing.assert_allclose(model.interpolate(X[0], X[1])[0], through[0], rtol=1e-6)
    z = mean[:1].at[:, 2].set(-3.0)
    first = model.latent_traversal(X[0], 2)[:1]
    np.testing.assert_allclose(first, model.decode(model.quantize(z)[0]), rtol=1e-6)


def test_gradients_move_the_codes_by_default():
    model = by_parts(VQVAE)
    gradient = nnx.grad(lambda model: model.loss_fn(x=X)["loss"])(model)
    assert jnp.any(gradient["embeddings"]["embedding"][...] != 0)
    before = codes_of(model)
    model(X)
    np.testing.assert_array_equal(codes_of(model), before)


def test_averages_move_the_codes_with_use_ema():
    model = by_parts(VQVAE, use_ema=True, ema_decay=0.9)
    old = quantize.MovingCodebook(jnp.ones(6), codes_of(model), codes_of(model))
    outputs = model(X)
    vectors = outputs["z_e"].reshape(-1, 2)
    new = quantize.ema_update(old, vectors, outputs["encoding_indices"], 0.9)
    np.testing.assert_allclose(codes_of(model), new.codebook, rtol=1e-6)
    np.testing.assert_allclose(model.embeddings.usage[...], new.usage, rtol=1e-6)
    assert ("embeddings", "embedding") not in dict(nnx.to_flat_state(nnx.state(model, nnx.Param)))


def test_evaluation_moves_nothing():
    model = by_parts(VQVAE, use_ema=True, dead_code_threshold=0.5, kmeans_init=True)
    model.eval()
    before = codes_of(model)
    model(X)
    np.testing.assert_array_equal(codes_of(model), before)
    assert not model.embeddings.started[...]


def test_dead_codes_are_put_where_the_batch_is():
    model = by_parts(VQVAE, use_ema=True, ema_decay=0.5, dead_code_threshold=0.4)
    set_codes(model, [*([[100.0, 100.0]] * 5), [0.0, 0.0]])
    vectors = model(X)["z_e"].reshape(-1, 2)
    model(X)
    nearest = jnp.min(quantize.squared_distances(codes_of(model)[:5], vectors), axis=1)
    assert jnp.max(nearest) < 1e-6


def test_k_means_starts_on_the_first_batch_and_only_there():
    model = by_parts(VQVAE, kmeans_init=True)
    before = codes_of(model)
    vectors = model(X)["z_e"].reshape(-1, 2)
    started = codes_of(model)
    assert not jnp.array_equal(before, started)
    near = jnp.mean(jnp.min(quantize.squared_distances(vectors, started), axis=1))
    far = jnp.mean(jnp.min(quantize.squared_distances(vectors, before), axis=1))
    assert near < far
    model(X + 1)
    np.testing.assert_array_equal(codes_of(model), started)


def test_samples_follow_the_usage_and_the_temperature():
    model = by_parts(VQVAE)
    set_codes(model, jnp.arange(12.0).reshape(6, 2))
    model.embeddings.usage[...] = jnp.array([0.0, 1.0, 0.0, 3.0, 0.0, 0.0])
    model.decoder = lambda z: z
    n = 2000

    def share(temperature):
        codes = model.sample(n, temperature).reshape(-1, 2)[:, 0] / 2
        assert set(np.unique(codes)) <= {1.0, 3.0}
        return float(jnp.mean(codes == 3.0))

    assert share(0.0) == 1.0
    # Standard deviation of a share of 4,000 draws: below 0.008.
    assert abs(share(1.0) - 0.75) < 0.04
    assert abs(share(0.5) - 0.9) < 0.04
    assert abs(share(1e6) - 0.5) < 0.04


@pytest.mark.parametrize("bad", [-0.5, -1])
def test_a_negative_temperature_is_refused(bad):
    with pytest.raises(ValueError, match=f"temperature must not be negative, .* not {bad}"):
        by_parts(VQVAE).sample(2, bad)


@pytest.mark.parametrize("options", [{}, {"use_ema": True, "kmeans_init": True}])
def test_the_state_never_changes_its_structure_so_that_jit_traces_once(options):
    model, traces = by_parts(VQVAE, dead_code_threshold=0.1, **options), []

    @nnx.jit
    def forward(model, x):
        traces.append(1)
        return model(x)["perplexity"]

    before = nnx.graphdef(model)
    for _ in range(3):
        forward(model, X)
    assert len(traces) == 1
    assert nnx.graphdef(model) == before


def test_codes_on_a_grid():
    model = by_config(VQVAE, encoder_type="spatial", num_embeddings=6, embedding_dim=4)
    outputs = model(images())
    assert outputs["quantized"].shape == (3, 2, 2, 4)
    assert outputs["encoding_indices"].shape == (12,)
    assert model.sample(2).shape == (2, *IMAGE)
    assert model.interpolate(images()[0], images()[1], steps=3).shape == (3, *IMAGE)


def test_a_negative_temperature_is_refused_of_a_subclass_and_when_compiled_too():
    class Own(VQVAE):
        """A subclass of a user's."""

    def sample(model):
        return model.sample(2, temperature=-1.0)

    for call, model in ((sample, by_parts(Own)), (nnx.jit(sample), by_parts(VQVAE))):
        with pytest.raises(ValueError, match="temperature must not be negative"):
            call(model)
