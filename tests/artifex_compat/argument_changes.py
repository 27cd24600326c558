"""Another value for each argument of the public constructors."""

from flax import nnx

from tests.artifex_compat.make import (
    decoder_config,
    encoder_config,
    parts,
)

SMALL = (4, 4, 1)
NOTES = {"name": "other", "description": "x", "tags": ["x"], "metadata": {"x": 1}}
OTHER = parts(seed=1)
BETA = {
    "beta_default": {"beta_default": 2.0},
    "beta_warmup_steps": {"beta_warmup_steps": 9},
    "reconstruction_loss_type": {"reconstruction_loss_type": "bce"},
}
CONTROL = {"use_capacity_control": True}
ENCODER = {
    "hidden_dims": {"hidden_dims": [5, 3]},
    "latent_dim": {"latent_dim": 3},
    "activation": {"activation": "gelu"},
    "input_dim": {"input_dim": (6, 4, 1)},
    "config": {"config": encoder_config()},
    "use_batch_norm": {"use_batch_norm": True},
    "use_layer_norm": {"use_layer_norm": True},
    "dropout_rate": {"dropout_rate": 0.5},
    "condition_features": {"condition_features": 2},
    "rngs": {"rngs": nnx.Rngs(1)},
}
DECODER = {
    **{name: change for name, change in ENCODER.items() if name not in ("input_dim", "config")},
    "output_dim": {"output_dim": (6, 4, 1)},
    "output_activation": {"output_activation": "tanh"},
    "config": {"config": decoder_config()},
}
STACK = {
    **{name: ENCODER[name] for name in ("hidden_dims", "activation", "dropout_rate", "rngs")},
    "use_batch_norm": {"use_batch_norm": True},
    "use_layer_norm": {"use_layer_norm": True},
    "in_features": {"in_features": 3},
    "use_transpose": {"use_transpose": True},
}
WRAPPER = {
    "num_classes": {"num_classes": 4},
    "embed_dim": {"embed_dim": 2},
    "rngs": {"rngs": nnx.Rngs(1)},
}
NETWORKS = {
    "name": "m",
    "encoder": encoder_config(),
    "decoder": decoder_config(),
}
OF_NETWORK = {
    "hidden_dims": {"hidden_dims": (5, 3)},
    "activation": {"activation": "gelu"},
    "batch_norm": {"batch_norm": True},
    "dropout_rate": {"dropout_rate": 0.5},
    "latent_dim": {"latent_dim": 3},
}
OF_MODEL = {
    "encoder": {"encoder": encoder_config(activation="gelu")},
    "decoder": {"decoder": decoder_config(activation="gelu")},
    "encoder_type": {"encoder_type": "cnn"},
    "kl_weight": {"kl_weight": 0.5},
}
CODES = {
    "num_embeddings": {"num_embeddings": 7},
    "embedding_dim": {"embedding_dim": 4},
    "use_ema": {"use_ema": True},
    "ema_decay": {"ema_decay": 0.5},
    "dead_code_threshold": {"dead_code_threshold": 5.0},
    "kmeans_init": {"kmeans_init": True},
}
OF_VQ_LOSS = {"commitment_cost": {"commitment_cost": 1.0}}
CAPACITY = {
    "use_capacity_control": CONTROL,
    "capacity_max": {"capacity_max": 1.0},
    "capacity_num_iter": {"capacity_num_iter": 50},
    "gamma": {"gamma": 5.0},
}
CONDITION = {
    "condition_dim": {"condition_dim": 7},
    "condition_type": {"condition_type": "add"},
    "num_classes": {"num_classes": 4},
    "embed_dim": {"embed_dim": 2},
}
TRAINING = {
    "kl_annealing": {"kl_annealing": "cyclical"},
    "kl_warmup_steps": {"kl_warmup_steps": 5},
    "beta": {"beta": 2.0},
    "free_bits": {"free_bits": 0.5},
}
STOPPING = {
    "monitor": {"monitor": "other"},
    "min_delta": {"min_delta": 0.1},
    "patience": {"patience": 4},
    "mode": {"mode": "max"},
    "check_finite": {"check_finite": False},
    "after_warmup": {"after_warmup": False},
}
ARCHITECTURE = {"latent_dim": 2, "input_shape": (6,), "parameters": {"encoder_features": [3]}}
