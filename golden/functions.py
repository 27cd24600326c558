"""What a case can call: the functions, and the names of what they take and give."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from inspect import signature

from golden.adapters import UnsupportedError, core_formula
from golden.case import Case

_STATES = ("core.quantize.ema_update", "core.quantize.replace_dead_codes")
_LONGEST_NAME = 200
"""Characters: what is longer is like no name, and takes long to find so."""
_SYSTEMS = ("avitai-artifex", "artifex")
ARTIFEX_GROUPS = (
    "compute_loss_stub",
    "vae_loss_fn",
    "beta_vae_loss_fn",
    "capacity_loss_fn",
    "vqvae_loss_fn",
    "vq_quantize",
    "reparameterize",
    "components",
    "models",
    "kl_weight",
    "free_bits",
    "kl_loss",
    "recon_loss",
    "training",
)
"""Groups of recorded Artifex: their options and outputs are what the recorder wrote."""


@dataclass(frozen=True)
class _Names:
    """Names of one kind, as a word each; one that ends in a question mark may be missing."""

    words: str

    def wrong(self, kind: str, had: Iterable[str], *, complete: bool = True) -> list[str]:
        """What is wrong with names, in sentences."""
        names = self.words.replace("?", "").split()
        needed = [word for word in self.words.split() if "?" not in word and complete]
        found = list(had)
        unknown = [n for n in found if not any(fnmatchcase(n, glob) for glob in names)]
        return [f"unknown {kind} {name}{nearest(name, names)}" for name in unknown] + [
            f"the {kind} {name} is missing" for name in needed if name not in found
        ]


_NETWORK = "seed input_size? latent_size? encoder_sizes? decoder_sizes? activation? output_size?"
_DRAWN = "value new_key grad_*"
_CODES = (
    "seed? input_size? embedding_dim? num_embeddings? encoder_sizes? decoder_sizes? activation? "
    "output_size?"
)
_ENCODER = "encoder/*/kernel encoder/*/bias z_e"
_DECODER = "decoder/*/kernel decoder/*/bias reconstruction"
_PAIR = "z_e z_q"
_TERMS = "reconstruction target z_e z_q"
FUNCTIONS: Mapping[str, tuple[str, str, str]] = {
    "random_key": ("seed", "", "key"),
    "random_split": ("seed parts?", "", "keys"),
    "random_fold_in": ("seed data? array?", "data?", "key"),
    "random_uniform": ("seed shape? dtype? minval? maxval?", "", _DRAWN),
    "random_normal": ("seed shape? dtype? mean? standard_deviation?", "", _DRAWN),
    "reparameterize": ("seed", "mu log_var", "z new_key"),
    "reparameterize_chain": ("seed times", "mu log_var", "z new_key"),
    "kl_divergence": ("", "mu log_var", "kl"),
    "loss": ("beta?", "reconstruction target mu log_var", "loss"),
    "loss_grad": (
        "beta?",
        "reconstruction target mu log_var",
        "loss grad_reconstruction grad_mu grad_log_var",
    ),
    "elbo_grad": ("beta? seed", "mu log_var target", "loss grad_mu grad_log_var"),
    "build": (
        _NETWORK,
        "input latent",
        "encoder/*/kernel encoder/*/bias decoder/*/kernel decoder/*/bias mu log_var reconstruction",
    ),
    "build_encoder": (_NETWORK, "input", "encoder/*/kernel encoder/*/bias mu log_var"),
    "build_decoder": (_NETWORK, "latent", "decoder/*/kernel decoder/*/bias reconstruction"),
    "train": (f"{_NETWORK} beta? learning_rate steps?", "batches", "losses new_key final/*"),
    "activation": ("name", "x", "value grad_x"),
    "optimizer": ("name *?", "params gradients", "params"),
    "vqvae_build": (_CODES, "input quantized", f"{_ENCODER} {_DECODER}"),
    "vqvae_build_encoder": (_CODES, "input", _ENCODER),
    "vqvae_build_decoder": (_CODES, "quantized", _DECODER),
    "vqvae_init_codebook": ("seed? num_embeddings embedding_dim", "", "codebook"),
    "vqvae_quantize": ("", "z_e codebook", "z_q indices"),
    "vqvae_quantize_grad": ("", "z_e codebook cotangent", "value grad_z_e grad_codebook"),
    "vqvae_commitment_loss": ("", _PAIR, "loss"),
    "vqvae_commitment_loss_grad": ("", _PAIR, "loss grad_z_e grad_z_q"),
    "vqvae_codebook_loss": ("", _PAIR, "loss"),
    "vqvae_codebook_loss_grad": ("", _PAIR, "loss grad_z_e grad_z_q"),
    "vqvae_loss": ("*?", f"{_TERMS} commitment_weight?", "loss"),
    "vqvae_loss_grad": (
        "commitment_weight?",
        _TERMS,
        "loss grad_reconstruction grad_target grad_z_e grad_z_q",
    ),
    "vqvae_objective_grad": (
        "z_q commitment_weight?",
        "z_e codebook target",
        "loss indices grad_z_e grad_codebook",
    ),
    "vqvae_train": (
        f"{_CODES} z_q commitment_weight? learning_rate steps?",
        "batches",
        "losses indices final/*",
    ),
    "vqvae_error": ("call *?", "*?", "raised"),
}
"""Options, inputs and outputs of each function but `core.*` and what was recorded of Artifex."""


def wrong_names(case: Case) -> list[str]:
    """What is wrong with the function of a case, and with the names that it uses: sentences."""
    system, _, group = case.function.partition(".")
    if case.function in FUNCTIONS:
        options, inputs, outputs = map(_Names, FUNCTIONS[case.function])
        return [
            *options.wrong("option", case.options),
            *inputs.wrong("input", case.inputs),
            *outputs.wrong("output", case.outputs, complete=False),
        ]
    if system in _SYSTEMS and group in ARTIFEX_GROUPS:
        return []
    if system == "core":
        return _wrong_formula(case)
    return [f"unknown function {case.function}{nearest(case.function, known_functions())}"]


def known_functions() -> list[str]:
    """Every function by its name, but the formulas `core.<module>.<name>`."""
    return [*FUNCTIONS, *(f"{system}.{group}" for system in _SYSTEMS for group in ARTIFEX_GROUPS)]


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence on an unknown name: the known one that is most like it."""
    close = get_close_matches(name[:_LONGEST_NAME], list(known), 1)
    return f"; the nearest is {close[0]}" if close else ""


def _wrong_formula(case: Case) -> list[str]:
    """A formula takes what its float64 reference takes."""
    try:
        formula = core_formula("golden.reference", case.function)
        parameters = signature(formula).bind(**{**case.options, **case.inputs})
    except UnsupportedError:
        return [f"unknown function {case.function}: golden.reference has no such formula"]
    except TypeError as error:
        return [f"{case.function}: {error}"]
    if case.function in _STATES:
        return _Names("usage total codebook").wrong("output", case.outputs, complete=False)
    gradients = " ".join(f"grad_{name}" for name in parameters.arguments)
    return _Names(f"value {gradients}").wrong("output", case.outputs, complete=False)
