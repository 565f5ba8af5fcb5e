from pathlib import Path

import pytest
import torch
from sae_lens import SAE

from ingest.dictionaries import Dictionary, from_folder, open_dictionary
from ingest.hooks import parse_hook
from ingest.models import open_model
from ingest.weights import dictionary_folders
from store.errors import ModelError
from tests.ingest.tiny import D_MODEL, random_sae, random_transcoder, save_model

HOOK = "blocks.1.hook_resid_post"
KINDS = ["standard", "jumprelu", "topk", "gated"]


def opened(kind: str) -> Dictionary:
    return open_dictionary(random_sae(kind, HOOK), parse_hook(HOOK, 4), kind, "")


@pytest.mark.parametrize("kind", KINDS)
def test_activations_and_reconstructions_are_those_of_saelens(kind: str) -> None:
    sae, ours = random_sae(kind, HOOK), opened(kind)
    x = torch.randn(7, 3, D_MODEL, generator=torch.Generator().manual_seed(1))
    f = ours.encode(x)
    assert 0 < float((f > 0).float().mean()) < 1
    torch.testing.assert_close(f, sae.encode(x))
    torch.testing.assert_close(ours.encode_only(x, [13, 0, 39]), f[..., [13, 0, 39]])
    torch.testing.assert_close(ours.decode(f), sae.decode(sae.encode(x)))
    torch.testing.assert_close(ours.error(x, x), x - sae(x))


@pytest.mark.parametrize("kind", KINDS)
def test_one_feature_responds_as_the_whole_dictionary_does_when_it_alone_changes(kind: str) -> None:
    ours = opened(kind)
    generator = torch.Generator().manual_seed(2)
    pi = ours.linear(torch.randn(50, D_MODEL, generator=generator))
    for feature in (0, 13, 39):
        changed = pi.clone()
        changed[:, feature] += torch.randn(50, generator=generator)
        alone = ours.activation.of(feature, pi.clone())(changed[:, feature])
        torch.testing.assert_close(alone, ours.activation(changed)[:, feature])


@pytest.mark.parametrize("kind", KINDS)
def test_the_slope_is_the_derivative_of_the_activation(kind: str) -> None:
    ours = opened(kind)
    pi = ours.linear(torch.randn(20, D_MODEL, generator=torch.Generator().manual_seed(3))).requires_grad_()
    (derivative,) = torch.autograd.grad(ours.activation(pi).sum(), pi)
    torch.testing.assert_close(ours.activation.slope(pi), derivative)


def test_a_dictionary_with_nan_is_refused_by_name() -> None:
    sae = random_sae("jumprelu", HOOK)
    sae.W_dec.data[3, 4] = torch.nan
    with pytest.raises(ModelError, match="some-sae: W_dec has values that are not finite"):
        open_dictionary(sae, parse_hook(HOOK, 4), "some-sae", "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_saelens_saved_gives_what_it_gives_there(
    kind: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = open_model(str(save_model(tmp_path_factory.mktemp("model") / "llama")))
    sae = random_sae(kind, HOOK)
    sae.save_model(tmp_path)
    ours = from_folder(tmp_path, model)
    x = torch.randn(5, D_MODEL, generator=torch.Generator().manual_seed(6))
    torch.testing.assert_close(ours.encode(x), sae.encode(x))
    torch.testing.assert_close(ours.decode(ours.encode(x)), sae(x))
    assert (ours.hook.name, ours.architecture, len(ours.sha256)) == (HOOK, kind, 64)


@pytest.mark.parametrize("kind", ["transcoder", "skip_transcoder", "jumprelu_transcoder"])
@pytest.mark.parametrize("reads", ["mlp.hook_in", "ln2.hook_normalized", "ln2.hook_out"])
def test_a_transcoder_that_saelens_saved_gives_what_it_gives_there(kind: str, reads: str, tmp_path: Path) -> None:
    model = open_model(str(save_model(tmp_path / "model", "gemma2", worn=True)))
    transcoder = random_transcoder(kind, f"blocks.1.{reads}", "blocks.1.hook_mlp_out")
    transcoder.save_model(tmp_path / "transcoder")
    ours = from_folder(tmp_path / "transcoder", model)
    assert (ours.reads.name, ours.hook.name, ours.architecture) == (f"blocks.1.{reads}", "blocks.1.hook_mlp_out", kind)
    x, y = torch.randn(2, 5, D_MODEL, generator=torch.Generator().manual_seed(6)).unbind()
    f = transcoder.encode(x)
    assert 0 < float((f > 0).float().mean()) < 1
    torch.testing.assert_close(ours.encode(x), f)
    torch.testing.assert_close(ours.decode(f), transcoder.decode(f))
    torch.testing.assert_close(ours.error(x, y), y - transcoder.decode(f))  # a skip is no feature's: it stands in ε


def refused_transcoder(tmp_path: Path, family: str, reads: str, writes: str | None, **widths: int) -> str:
    made = random_transcoder("transcoder", reads, writes or "", **widths)
    if writes is None:
        del made.cfg.metadata.hook_name_out
    made.save_model(tmp_path / "transcoder")
    with pytest.raises(ModelError) as raised:
        from_folder(tmp_path / "transcoder", open_model(str(save_model(tmp_path / "model", family))))
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("reads", "writes", "message"),
    [
        ("blocks.1.mlp.hook_in", None, "does not say which hook the transcoder writes (hook_name_out)"),
        (
            "blocks.1.hook_mlp_in",
            "blocks.1.hook_mlp_out",
            "'blocks.1.hook_mlp_in' is not one that a transcoder can read",
        ),
        ("blocks.1.mlp.hook_in", "blocks.2.hook_mlp_out", "from 'blocks.1.mlp.hook_in' to 'blocks.2.hook_mlp_out'"),
        ("blocks.1.mlp.hook_in", "blocks.1.hook_resid_post", "has to write the output of the MLP whose input it reads"),
        ("blocks.1.mlp.hook_in", "blocks.1.hook_z", "the hook 'blocks.1.hook_z' is not one that circuits"),
    ],
)
def test_a_transcoder_of_other_places_is_refused_by_their_names(
    reads: str, writes: str | None, message: str, tmp_path: Path
) -> None:
    assert message in refused_transcoder(tmp_path, "llama", reads, writes)


@pytest.mark.parametrize(("widths", "where"), [({"d_in": 8}, "mlp.hook_in"), ({"d_out": 8}, "hook_mlp_out")])
def test_a_transcoder_of_another_width_is_refused_with_the_side_that_is_wrong(
    widths: dict[str, int], where: str, tmp_path: Path
) -> None:
    found = refused_transcoder(tmp_path, "llama", "blocks.1.mlp.hook_in", "blocks.1.hook_mlp_out", **widths)
    assert f"the dictionary is 8 wide, but the model model has d_model 24 at blocks.1.{where};" in found


@pytest.mark.parametrize("hook", ["blocks.1.hook_mlp_out", "blocks.1.hook_attn_out"])
def test_a_hook_that_the_family_does_not_compute_is_refused_by_name(hook: str, tmp_path: Path) -> None:
    random_sae("standard", hook).save_model(tmp_path / "sae")
    model = open_model(str(save_model(tmp_path / "mamba", "mamba")))
    with pytest.raises(ModelError, match=f"the model mamba has no hook '{hook}'; use dictionaries"):
        from_folder(tmp_path / "sae", model)


def test_a_transcoder_of_a_family_without_mlps_is_refused_by_name(tmp_path: Path) -> None:
    found = refused_transcoder(tmp_path, "mamba", "blocks.1.mlp.hook_in", "blocks.1.hook_mlp_out")
    assert "the model model has no hook 'blocks.1.mlp.hook_in'" in found


def test_a_dictionary_that_ranks_features_by_their_decoders_norm_still_gives_what_saelens_gives() -> None:
    sae = random_sae("topk", HOOK, rescale_acts_by_decoder_norm=True)
    x = torch.randn(9, D_MODEL, generator=torch.Generator().manual_seed(7))
    wanted = sae(x)
    ours = open_dictionary(sae, parse_hook(HOOK, 4), "topk", "")
    torch.testing.assert_close(ours.decode(ours.encode(x)), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_a_dictionary_of_centred_weights_reads_the_stream_itself(kind: str) -> None:
    sae, centred = random_sae(kind, HOOK), random_sae(kind, HOOK)
    centred.cfg.metadata.model_from_pretrained_kwargs = {"center_writing_weights": True}
    x = torch.randn(9, D_MODEL, generator=torch.Generator().manual_seed(8)) + 0.7
    ours = open_dictionary(centred, parse_hook(HOOK, 4), kind, "")
    torch.testing.assert_close(ours.encode(x), sae.encode(x - x.mean(-1, keepdim=True)))


def test_centred_weights_want_a_model_with_layer_norm(tmp_path: Path) -> None:
    sae = random_sae("standard", HOOK)
    sae.cfg.metadata.model_from_pretrained_kwargs = {"center_writing_weights": True}
    sae.save_model(tmp_path / "sae")
    assert from_folder(tmp_path / "sae", open_model(str(save_model(tmp_path / "gpt2", "gpt2")))).n_features == 40
    with pytest.raises(ModelError, match="only models with LayerNorm have"):
        from_folder(tmp_path / "sae", open_model(str(save_model(tmp_path / "llama"))))


def test_the_bundled_dictionaries_are_those_of_the_demo() -> None:
    root = Path(__file__).parents[2] / "demo" / "smollm2-135m-instruct-res-4k"
    layers = []
    for folder in dictionary_folders(root):
        sae = SAE.load_from_disk(folder, dtype="float32")
        ours = open_dictionary(sae, parse_hook(sae.cfg.metadata.hook_name, 30), folder.name, "")
        layers.append(ours.hook.layer)
        assert (ours.architecture, ours.d_in, ours.n_features) == ("jumprelu", 576, 4096)
    assert sorted(layers) == [3, 8, 13, 18, 23, 28]
