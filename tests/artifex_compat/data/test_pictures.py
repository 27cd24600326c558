"""Pictures as people have them: 16 bits, transparent, turned, animated, in folders of any kind."""

import os

import numpy as np
import pytest
from PIL import Image

from artifex_compat import pictures
from artifex_compat.data import DataError, Examples, read_image_folder

RAMP = np.linspace(0, 65535, 12).astype(np.uint16).reshape(3, 4)
BYTES = (RAMP // 257).astype(np.uint8)
ONE = Image.fromarray(BYTES)


def refused(call, words):
    with pytest.raises(DataError, match=words) as error:
        call()
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


def only(folder, image, name="a.png", **options):
    image.save(folder / name, **options)
    return read_image_folder(folder).x[0]


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_read_as_such(tmp_path, name):
    found = only(tmp_path, Image.fromarray(RAMP), name)
    np.testing.assert_allclose(found[..., 0], RAMP / 65535, rtol=1e-6)


def test_sixteen_bits_of_the_other_byte_order_and_in_colour(tmp_path):
    image = Image.frombytes("I;16B", (4, 3), RAMP.astype(">u2").tobytes())
    image.save(tmp_path / "a.tif")
    found = read_image_folder(tmp_path, channels=3, size=(6, 8)).x
    assert found.shape == (1, 6, 8, 3)
    assert 0 <= found.min() < found.max() <= 1
    np.testing.assert_allclose(found[0, :, :, 0].mean(), (RAMP / 65535).mean(), atol=0.02)


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_numbers_without_a_known_range_are_refused(tmp_path, kind):
    Image.fromarray(RAMP.astype(kind)).save(tmp_path / "a.tif")
    refused(lambda: read_image_folder(tmp_path), "a.tif cannot be read.*whose range nobody knows")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_of_eight_bits(tmp_path, mode):
    image = Image.fromarray(np.repeat(BYTES[..., None], 3, axis=2)).convert(mode)
    found = only(tmp_path, image, "a.tif" if mode in ("CMYK", "YCbCr") else "a.png")
    wanted = np.asarray(image.convert("RGB"), np.float32) / 255
    np.testing.assert_allclose(found, wanted[..., : found.shape[-1]], atol=1e-6)


def test_colour_is_read_where_there_is_any(tmp_path):
    ONE.save(tmp_path / "a.png")
    assert read_image_folder(tmp_path).x.shape[-1] == 1
    red = np.zeros((3, 4, 3), np.uint8)
    red[..., 0] = 255
    Image.fromarray(red).save(tmp_path / "b.png")
    found = read_image_folder(tmp_path).x
    np.testing.assert_array_equal(found[1], red / np.float32(255))
    np.testing.assert_array_equal(found[0], np.repeat(BYTES[..., None], 3, 2) / np.float32(255))
    assert read_image_folder(tmp_path, channels=1).x.shape[-1] == 1


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_is_laid_on_white(tmp_path, mode):
    pixels = np.zeros((3, 4, len(mode)), np.uint8)
    pixels[0, :, -1] = 255
    pixels[1, :, -1] = 51
    found = only(tmp_path, Image.fromarray(pixels, mode))
    np.testing.assert_allclose(found[:, 0, 0], [0, 0.8, 1], atol=0.01)


def test_a_transparent_colour_of_a_palette_is_laid_on_white(tmp_path):
    image = Image.fromarray(np.zeros((3, 4), np.uint8)).convert("P")
    assert only(tmp_path, image, "a.gif", transparency=0).min() == 1


def test_the_orientation_of_a_photograph_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for index in range(2):
        ONE.save(tmp_path / f"{index}.png", exif=exif)
    found = read_image_folder(tmp_path).x
    np.testing.assert_array_equal(found[1, ..., 0], np.rot90(BYTES, -1) / np.float32(255))


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.tif", "a.webp"])
def test_frames_are_not_lost(tmp_path, name):
    frames = [Image.fromarray(np.full((3, 4), shade, np.uint8)) for shade in (0, 128, 255)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    refused(lambda: read_image_folder(tmp_path), "it has 3 frames")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    ONE.save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 7)
    refused(lambda: read_image_folder(tmp_path), "could be decompression bomb")


def test_only_named_formats_are_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("subprocess.Popen", pytest.fail)
    ONE.save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.png")
    refused(lambda: read_image_folder(tmp_path), r"it is none of BMP, GIF, JPEG, PNG, TIFF, WEBP")
    ONE.save(tmp_path / "a.png", format="JPEG")  # named wrongly, and one of them
    assert read_image_folder(tmp_path).x.shape == (1, 3, 4, 1)


def tree(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        ONE.save(root / name)


def test_classes_have_names_and_pictures_at_any_depth(tmp_path):
    tree(tmp_path, "dog/b/c/1.PNG", "cat/1.png", "dog/2.png", ".ipynb_checkpoints/1.png")
    tree(tmp_path, "cat/.hidden/1.png")
    found = read_image_folder(tmp_path)
    assert found.factors.tolist() == [[0], [1], [1]]
    assert found.value_names == {"class": ("cat", "dog")}
    assert found.split(0.34)[1].value_names == found.value_names


def test_a_picture_beside_classes_is_refused(tmp_path):
    tree(tmp_path, "dog/1.png", "cat/1.png", "stray.png")
    refused(lambda: read_image_folder(tmp_path), "stray.png stands beside folders of pictures")


def test_links_that_lead_back_count_once(tmp_path):
    tree(tmp_path, "dog/1.png", "cat/1.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "dog" / "loop").symlink_to(tmp_path / "dog")
    with pytest.warns(UserWarning, match="'loop' is no class"):
        assert read_image_folder(tmp_path).factors.tolist() == [[0], [1]]
    (tmp_path / "dog" / "other").symlink_to(tmp_path / "cat")
    refused(lambda: read_image_folder(tmp_path), "is the same folder as .*would count twice")


def test_what_is_left_out_is_said(tmp_path):
    tree(tmp_path, "dog/1.png", "cat/1.png", "cat/2.ppm")
    (tmp_path / "cat" / "notes.txt").write_text("nothing")
    with pytest.warns(UserWarning, match="1 pictures were left out, like 2.ppm"):
        assert len(read_image_folder(tmp_path)) == 2


def test_special_and_unreadable_pictures(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    refused(lambda: read_image_folder(tmp_path), "a.png cannot be read as a picture: Is a named")
    (tmp_path / "a.png").unlink()
    (tmp_path / "a.png").symlink_to(tmp_path / "a.png")
    refused(lambda: read_image_folder(tmp_path), "a.png cannot be read")


@pytest.mark.parametrize(
    "names", [{"b": ("x",)}, {"a": ("x", "y")}, {"factor 0": ("x", "y", "z")}], ids=range(3)
)
def test_names_of_values_that_do_not_fit(names):
    with pytest.raises(DataError, match="value_names must"):
        Examples(np.zeros((2, 3)), np.array([[0], [2]]), ("a",), names)


def test_a_legend_has_the_names_of_classes():
    z = np.random.default_rng(0).normal(size=(6, 2))
    figure = pictures.latent_scatter(z, np.array([0, 1, 1, 0, 0, 1]), names=("cat", "dog"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["cat", "dog"]
    with pytest.raises(ValueError, match="names must name all labels"):
        pictures.latent_scatter(z, np.arange(6), names=("cat", "dog"))
