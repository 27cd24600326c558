"""What the documents say to do about a model that learned too little."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a model, or may be.

    Attributes:
        name: what it is called.
        evidence: the numbers that show it, in one sentence.
        advice: what the documents say to do, the first thing first.
    """

    name: str
    evidence: str
    advice: tuple[str, ...]


POSTERIOR_COLLAPSE = (
    "Lower beta, or begin low and raise it slowly: too large a beta collapses the posterior. Mind "
    "the reconstruction: a mean over D features, as VAE.loss_fn takes it, makes beta = 1 as strong "
    "as D, and a squared error of data in [0, 1] is weak beside a nat; 'bce' is stronger.",
    "Anneal the KL weight from 0: VAETrainingConfig(kl_annealing='linear', kl_warmup_steps=10000), "
    "or 'sigmoid', or 'cyclical', which reopens the way again and again.",
    "Give each dimension free bits: VAETrainingConfig(free_bits=0.5).",
    "Hold the KL to a capacity that grows: BetaVAEWithCapacity with use_capacity_control=True, "
    "capacity_max=25.0 and gamma=1000.0.",
)
"""VAE Trainer, "KL Annealing Schedules", "Free Bits Constraint"; Advanced VAE Examples, "Choosing
β Values", "Capacity Control Benefits"."""

SPARE_DIMENSIONS = (
    "Nothing, if the rest reconstruct well enough: a VAE leaves alone what it does not need, and a "
    "smaller latent_dim gives the same model.",
    "If reconstructions are poor, do as for posterior collapse: lower beta, anneal the KL weight, "
    "or give free bits.",
)
"""Advanced VAE Examples, "Best Practices": use adequate latent dimensions."""

CODEBOOK_COLLAPSE = (
    "Raise the commitment cost, as from 0.25 to 0.5: VQVAE(commitment_cost=0.5).",
    "Keep the codes by moving averages: VQVAE(use_ema=True).",
    "Put unused codes where vectors are: VQVAE(dead_code_threshold=1.0), and begin with "
    "kmeans_init=True.",
    "Lower the learning rate of the decoder.",
)
"""Advanced VAE Examples, "Monitor Codebook Usage"."""

NO_BETTER_THAN_MEAN = (
    "Train longer, or with another learning rate: the decoder has learned little but the mean of "
    "the data.",
    "Look at the scale of the data, and at the decoder's output: a loss that cannot fall lets "
    "every example look alike.",
    "Lower beta: a KL that weighs too much leaves nothing to reconstruct from.",
)

OUT_OF_REACH = (
    "Give the decoder output_activation='linear', with loss_type 'mse'.",
    "Or bring the data to the range of the output, like pixels to [0, 1].",
)

WARM_UP = (
    "Train for more steps than the warm-up has, or shorten it: kl_warmup_steps of "
    "VAETrainingConfig, beta_warmup_steps of a BetaVAE, capacity_num_iter of a capacity.",
)
"""VAE Trainer, "KL Annealing Schedules": the warm-up is a part of the run."""
