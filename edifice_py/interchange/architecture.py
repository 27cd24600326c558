"""Which VAE weights are of, and whether they fit a model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from edifice_py.axon import Dense, Model, Params
from edifice_py.generative import vae, vqvae
from edifice_py.interchange.errors import InterchangeError
from edifice_py.interchange.trees import Tree

Layer = tuple[int, int]
"""Inputs and outputs of a dense layer."""

_PARTS = ("encoder", "decoder")


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The sizes of an encoder, a decoder or both, as `vae.build` or `vqvae.build` takes them.

    The activation is not among them: weights do not tell it. A decoder alone may be of either, and
    counts as that of a VAE.

    Attributes:
        input_size: features of an input, None without an encoder.
        latent_size: dimensions of the latent space, None in a VQ-VAE.
        embedding_dim: dimensions of a code, None in a VAE.
        encoder_sizes: units of the encoder's hidden layers, None without one.
        decoder_sizes: units of the decoder's hidden layers, None without one.
        output_size: features of a reconstruction, None without a decoder.
    """

    input_size: int | None = None
    latent_size: int | None = None
    embedding_dim: int | None = None
    encoder_sizes: tuple[int, ...] | None = None
    decoder_sizes: tuple[int, ...] | None = None
    output_size: int | None = None

    def models(self, activation: str = "relu") -> tuple[Model | None, Model | None]:
        """The encoder and the decoder that the weights are of, None for one that is not there.

        Args:
            activation: the name of Axon's activation after each hidden layer.

        Raises:
            ValueError: there is no activation of that name.
        """
        family = vae if self.embedding_dim is None else vqvae
        options: Any = {"activation": activation} | {
            name: size for name, size in self.as_json().items() if name != "output_size"
        }
        encoder = family.build_encoder(**options) if self.encoder_sizes is not None else None
        if self.decoder_sizes is None:
            return encoder, None
        return encoder, family.build_decoder(output_size=self.output_size, **options)

    def as_json(self) -> dict[str, Any]:
        """The sizes that there are."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def recognised(params: Tree) -> Architecture | None:
    """The architecture that parameters are of, None where `build` makes no such model.

    Args:
        params: layers of an encoder, of a decoder, of both side by side, or
            `{"encoder": ..., "decoder": ...}`, which may have others beside it, or a tuple of such.

    Example:
        >>> encoder, _ = vae.build(input_size=6, latent_size=2, encoder_sizes=[5, 4])
        >>> recognised(encoder.init(0)).encoder_sizes
        (5, 4)
    """
    layers = {name: _dense(layer) for name, layer in _layers(params).items()}
    of_decoder = {name: sizes for name, sizes in layers.items() if name.startswith("decoder_")}
    of_encoder = {name: sizes for name, sizes in layers.items() if name not in of_decoder}
    of_codes = "encoder_to_embedding" in of_encoder
    heads = ("encoder_to_embedding",) if of_codes else ("mu", "log_var")
    encoder = _widths(of_encoder, "encoder_dense", heads) if of_encoder else ()
    decoder = _widths(of_decoder, "decoder_dense", ("decoder_output",)) if of_decoder else ()
    if encoder is None or decoder is None or not layers:
        return None
    if encoder and decoder and encoder[-1] != decoder[0]:
        return None
    latents = encoder[-1] if encoder else decoder[0]
    return Architecture(
        input_size=encoder[0] if encoder else None,
        latent_size=None if of_codes else latents,
        embedding_dim=latents if of_codes else None,
        encoder_sizes=encoder[1:-1] if encoder else None,
        decoder_sizes=decoder[1:-1] if decoder else None,
        output_size=decoder[-1] if decoder else None,
    )


def fitted(params: Tree, model: Model) -> Params:
    """The layers of a model, of parameters that may hold more layers than these.

    Args:
        params: as for `recognised`.
        model: an encoder or a decoder of `edifice_py.generative.vae` or `vqvae`.

    Returns:
        Parameters for `model.apply`, numpy arrays of the file's types.

    Raises:
        InterchangeError: a layer is missing, or has another shape; the sentence names it, with its
            shape in the file, and with the one that the model wants.
    """
    layers = _layers(params)
    return {layer.name: _fitted(layers, layer) for layer in model.trunk + model.heads}


def _layers(params: Tree) -> dict[str, Tree]:
    """Layers by name, those of a pair side by side; of a tuple those whose name is there once."""
    if isinstance(params, tuple):
        members = [_layers(part) for part in params]
        twice = Counter(name for part in members for name in part)
        return {name: layer for part in members for name, layer in part.items() if twice[name] == 1}
    if not isinstance(params, dict):
        return {}
    parts = {name: part for name, part in params.items() if name in _PARTS}
    # Beside a pair there may be others: a codebook, the state of an optimizer.
    if len(parts) < len(params) and not (parts and all(map(_has_layers, parts.values()))):
        return params
    layers = [part for part in parts.values() if isinstance(part, dict)]
    return {name: layer for part in layers for name, layer in part.items()}


def _has_layers(tree: Tree) -> bool:
    return isinstance(tree, dict) and all(isinstance(layer, dict) for layer in tree.values())


def _dense(layer: Tree) -> Layer | None:
    """Inputs and outputs of a dense layer, None where it is something else."""
    if not isinstance(layer, dict) or layer.keys() != {"kernel", "bias"}:
        return None
    kernel, bias = layer["kernel"], layer["bias"]
    if isinstance(kernel, dict | tuple) or isinstance(bias, dict | tuple):
        return None
    fits = kernel.ndim == 2 and bias.shape == kernel.shape[1:]
    return (kernel.shape[0], kernel.shape[1]) if fits else None


def _widths(
    layers: Mapping[str, Layer | None], trunk: str, heads: Sequence[str]
) -> tuple[int, ...] | None:
    """Widths from the input to the heads, None where the layers are no such chain."""
    hidden = [f"{trunk}_{index}" for index in range(len(layers) - len(heads))]
    if layers.keys() != {*hidden, *heads}:
        return None
    chain = [layers[name] for name in (*hidden, heads[0])]
    sizes = [size for size in chain if size is not None]
    if len(sizes) < len(chain) or any(layers[head] != sizes[-1] for head in heads):
        return None
    if any(before[1] != after[0] for before, after in pairwise(sizes)):
        return None
    return (sizes[0][0], *(outputs for _, outputs in sizes))


def _fitted(layers: Mapping[str, Tree], layer: Dense) -> dict[str, Any]:
    found = layers.get(layer.name)
    if not isinstance(found, dict):
        close = get_close_matches(layer.name, layers, n=1)
        nearest = f"; its {close[0]!r} is the nearest" if close else ""
        raise InterchangeError(
            f"the file has no layer {layer.name!r}, which the model wants{nearest}."
        )
    wanted = {"kernel": (layer.inputs, layer.outputs), "bias": (layer.outputs,)}
    for name, shape in wanted.items():
        given = found.get(name)
        if given is None or isinstance(given, dict | tuple):
            raise InterchangeError(f"the layer {layer.name!r} of the file has no {name!r}.")
        if given.shape != shape:
            raise InterchangeError(
                f"the {name} of the layer {layer.name!r} has the shape {list(given.shape)} in the "
                f"file; the model wants {list(shape)}."
            )
    return {name: found[name] for name in wanted}
