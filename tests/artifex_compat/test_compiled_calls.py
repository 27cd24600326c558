"""Plain calls run one program each, which follows the model and keeps nothing of it."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from artifex_compat.generative_models.core.compiled_calls import run_compiled
from artifex_compat.generative_models.models.vae import VAE, VQVAE, ConditionalVAE, MLPEncoder
from artifex_compat.generative_models.training import Trainer
from tests.artifex_compat.make import LATENT, MODELS, by_config, by_parts, images, state_of

CALLS = {
    "model(x)": lambda m, **rngs: m(images(), **rngs),
    "encode": lambda m, **rngs: m.encode(images(), **rngs),
    "decode": lambda m, **rngs: m.decode(jnp.ones((2, LATENT)), **rngs),
    "sample": lambda m, **rngs: m.sample(3, temperature=0.5, **rngs),
    "reconstruct": lambda m, **rngs: m.reconstruct(images(), **rngs),
    "interpolate": lambda m, **rngs: m.interpolate(images()[0], images()[1], 3, **rngs),
    "latent_traversal": lambda m, **rngs: m.latent_traversal(images()[0], 1, steps=3, **rngs),
    "loss_fn": lambda m, **_: m.loss_fn(x=images(), outputs=m(images())),
}
WITH_STATE = {
    "encoder": {"use_batch_norm": True, "dropout_rate": 0.3},
    "decoder": {"batch_norm": True, "dropout_rate": 0.3},
}


def assert_equal(one, other):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6), one, other)


def compilations(call):
    """How many programs a call compiles or loads."""
    found = []

    def listen(name, _, **__):
        if name == "/jax/core/compile/jaxpr_trace_duration":
            found.append(name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        call()
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    return len(found)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("call", CALLS)
def test_a_call_gives_what_it_gives_inside_of_jit_and_moves_the_streams_alike(model, call):
    ours, inside = by_config(model, **WITH_STATE), by_config(model, **WITH_STATE)
    for _ in range(2):
        assert_equal(CALLS[call](ours), nnx.jit(CALLS[call])(inside))
        assert_equal(state_of(ours), state_of(inside))


@pytest.mark.parametrize("call", CALLS)
def test_the_second_call_compiles_nothing(call):
    model = by_config(VAE, **WITH_STATE)
    CALLS[call](model)
    assert compilations(lambda: CALLS[call](model)) == 0


def test_a_walk_along_another_latent_number_compiles_nothing():
    model = by_config(VAE)
    model.latent_traversal(images()[0], 0)
    assert compilations(lambda: model.latent_traversal(images()[0], LATENT - 1)) == 0
    for _ in range(2):
        with pytest.raises(ValueError, match="out of range"):
            model.latent_traversal(images()[0], LATENT)


def layer_of_ones(layer, count):
    return layer(jnp.ones((count, 1)))


def test_calls_of_many_sizes_keep_working():
    layer = nnx.Linear(1, 1, rngs=nnx.Rngs(0))
    for count in (*range(70), 0, 1):
        rows = run_compiled(layer_of_ones, [layer], {"count": count}, {})
        assert rows.shape == (count, 1)


@pytest.mark.parametrize("call", ["model(x)", "sample", "reconstruct"])
def test_streams_that_are_given_move_and_the_model_s_do_not(call):
    model, rngs, same = by_config(VAE), nnx.Rngs(5), nnx.Rngs(5)
    model.eval()
    before = nnx.state(model, nnx.RngCount)
    first, second = CALLS[call](model, rngs=rngs), CALLS[call](model, rngs=rngs)
    assert_equal(nnx.state(model, nnx.RngCount), before)
    inside = nnx.jit(lambda model, rngs: CALLS[call](model, rngs=rngs))
    assert_equal(first, inside(model, same))
    assert_equal(second, inside(model, same))
    assert not np.array_equal(jax.tree.leaves(first)[-1], jax.tree.leaves(second)[-1])


def test_the_model_s_own_streams_may_be_given():
    one, other = by_config(VAE), by_config(VAE)
    for _ in range(2):
        np.testing.assert_array_equal(one.sample(2), other.sample(2, rngs=other.rngs))


def test_models_of_one_structure_share_no_state():
    one, other = by_config(VAE, rngs=0), by_config(VAE, rngs=1)
    alone = by_config(VAE, rngs=1)
    one.sample(2)
    one.sample(2)
    np.testing.assert_array_equal(other.sample(2), alone.sample(2))
    assert_equal(state_of(other), state_of(alone))


def test_a_call_follows_the_mode():
    model, twin = by_config(VAE, **WITH_STATE), by_config(VAE, **WITH_STATE)
    forward = nnx.jit(lambda model: model(images()))
    for mode in ("eval", "train", "eval"):
        getattr(model, mode)()
        getattr(twin, mode)()
        assert_equal(model(images()), forward(twin))
    assert compilations(lambda: (model.train(), model(images()))) == 0


def replace_parameter(model):
    layer = model.decoder.output_layer
    layer.bias = nnx.Param(jnp.full_like(layer.bias[...], 3.0))


def replace_submodule(model):
    model.encoder = by_config(type(model), rngs=7).encoder


def replace_in_a_list(model):
    model.encoder.backbone.layers[0] = by_config(type(model), rngs=7).encoder.backbone.layers[0]


def set_values(model):
    nnx.update(model, nnx.state(by_config(type(model), rngs=7)))


@pytest.mark.parametrize(
    "change",
    [replace_parameter, replace_submodule, replace_in_a_list, set_values],
)
def test_a_call_follows_what_changes_in_the_model(change):
    model, twin = by_config(VAE), by_config(VAE)
    before = model.reconstruct(images(), deterministic=True)
    change(model)
    change(twin)
    after = model.reconstruct(images(), deterministic=True)
    assert not np.allclose(before, after)
    assert_equal(after, nnx.jit(lambda m: m.reconstruct(images(), deterministic=True))(twin))


def test_a_call_after_training_reads_the_trained_arrays():
    model = by_config(VAE)
    model.encode(images())
    trainer = Trainer(model, nnx.Optimizer(model, optax.adam(0.1), wrt=nnx.Param))
    for _ in range(2):
        trainer.train(np.asarray(images()), num_epochs=1, batch_size=2)
        assert_equal(model.encode(images()), nnx.jit(lambda m: m.encode(images()))(model))


@pytest.mark.parametrize("cls", [VAE, MLPEncoder, nnx.Linear])
def test_a_method_that_is_patched_after_a_call_is_the_one_that_runs(cls, monkeypatch):
    model, calls = by_config(VAE), []
    name = "encode" if cls is VAE else "__call__"
    original = getattr(cls, name)

    def patched(*args, **kwargs):
        calls.append(float(jnp.sum(args[1])))
        return original(*args, **kwargs)

    before = model.reconstruct(images(), deterministic=True)
    monkeypatch.setattr(cls, name, patched)
    for _ in range(2):
        calls.clear()
        assert_equal(model.reconstruct(images(), deterministic=True), before)
        assert calls
    monkeypatch.undo()
    calls.clear()
    assert_equal(model.reconstruct(images(), deterministic=True), before)
    assert not calls


def test_threads_that_share_a_model_draw_different_samples():
    model = by_config(VAE)
    with ThreadPoolExecutor(6) as pool:
        samples = list(pool.map(lambda _: np.asarray(model.sample(2)).tobytes(), range(60)))
    assert len(set(samples)) == 60


@pytest.mark.parametrize("rngs", [jax.random.key(0), 5, "a"])
def test_streams_that_are_none_are_refused_by_name(rngs):
    with pytest.raises(TypeError, match=r"rngs must be an nnx\.Rngs"):
        by_config(VAE).sample(2, rngs=rngs)


class OwnEncoder(nnx.Module):
    """An encoder whose code needs values."""

    latent_dim = LATENT

    def __init__(self):
        self.calls = []

    def __call__(self, x):  # noqa: D102
        self.calls.append(float(jnp.sum(x)))
        mean = jnp.ones((x.shape[0], LATENT)) * self.calls[-1]
        return mean, jnp.zeros_like(mean)


def test_code_of_a_user_runs_as_it_is_written_at_every_call():
    encoder = OwnEncoder()
    model = VAE(
        encoder=encoder, decoder=by_config(VAE).decoder, latent_dim=LATENT, rngs=nnx.Rngs(0)
    )
    for factor in (1.0, 2.0):
        mean, _ = model.encode(jnp.full((1, 48), factor), deterministic=False)
        np.testing.assert_allclose(mean, 48.0 * factor)
    assert encoder.calls == [48.0, 96.0]


def test_an_override_sees_every_call():
    seen = []

    class Own(VAE):
        def encode(self, x, **options):
            seen.append(x.shape)
            return super().encode(x, **options)

    model = by_parts(Own)
    model(jnp.ones((2, 48)))
    model.reconstruct(jnp.ones((3, 48)))
    model.reconstruct(jnp.ones((3, 48)))
    assert seen == [(2, 48), (3, 48), (3, 48)]


def test_calls_inside_of_transformations():
    model = by_config(VAE)
    x = images()
    expected = model.encode(x)[0]
    assert_equal(nnx.jit(lambda m, x: m.encode(x)[0])(model, x), expected)
    assert_equal(jax.vmap(lambda x: model.encode(x[None])[0][0])(x), expected)
    gradients = nnx.grad(lambda m: jnp.mean(m.encode(x)[0]))(model)
    assert any(np.any(leaf != 0) for leaf in jax.tree.leaves(gradients))
    of_input = jax.grad(lambda x: jnp.mean(model.encode(x)[0]))(x)
    assert of_input.shape == x.shape


def test_an_array_that_is_refilled_after_the_call_does_not_change_its_result():
    model, buffer = by_config(VAE), np.zeros((4096, 8, 6, 1), np.float32)
    expected = np.array(model.encode(buffer)[0])
    for _ in range(5):
        buffer[:] = 0
        result = model.encode(buffer)[0]
        buffer[:] = 1
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_released(model):
    made = by_config(model)
    made.sample(2)
    reference = weakref.ref(made)
    del made
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("y", [[3], [-1]])
def test_labels_are_checked_before(y):
    model = by_config(ConditionalVAE, num_classes=3)
    for _ in range(2):
        with pytest.raises(ValueError, match="from 0 to 2"):
            model.sample(1, y=jnp.array(y))


def test_numbers_are_checked_before():
    model = by_config(VQVAE)
    for _ in range(2):
        with pytest.raises(ValueError, match="temperature"):
            model.sample(1, temperature=-0.5)
