"""D-FINE, a detection transformer: slower and more exact than `PageNet`, for training on a GPU.

Source: D-FINE, https://arxiv.org/abs/2410.13842, as transformers implements it, with the sizes of its smallest model
    (D-FINE-N: HGNetV2-B0 backbone, strides 16 and 32, three decoder layers). Differences: random weights instead of
    pretrained ones, 100 queries instead of 300, grey pages.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from farthing.base.errors import ConfigError
from farthing.documents.config import CANVAS_STEP, ModelConfig
from farthing.documents.net.candidates import Candidates, Detector
from farthing.documents.training.targets import Objects

MAX_QUERIES = 100  # fewer where the narrowest page has fewer places to start from

_WIDTHS = [64, 256, 512, 1024]
_BACKBONE: dict[str, Any] = {  # Any: what transformers takes
    "stem_channels": [3, 16, 16],
    "stage_in_channels": [16, 64, 256, 512],
    "stage_mid_channels": [16, 32, 64, 128],
    "stage_out_channels": _WIDTHS,
    "hidden_sizes": _WIDTHS,
    "stage_num_blocks": [1, 1, 2, 1],
    "stage_numb_of_layers": [3, 3, 3, 3],
    "stage_downsample": [False, True, True, True],
    "stage_light_block": [False, False, True, True],
    "stage_kernel_size": [3, 3, 5, 5],
    "use_learnable_affine_block": True,
    "out_features": ["stage3", "stage4"],
}
_DETECTOR: dict[str, Any] = {
    "feat_strides": [16, 32],
    "num_feature_levels": 2,
    "encoder_in_channels": _WIDTHS[2:],
    "encode_proj_layers": [1],
    "encoder_hidden_dim": 128,
    "encoder_ffn_dim": 512,
    "decoder_in_channels": [128, 128],
    "d_model": 128,
    "decoder_ffn_dim": 512,
    "decoder_layers": 3,
    "decoder_n_points": [6, 6],
    "depth_mult": 0.5,
    "hidden_expansion": 0.34,
    "num_denoising": 50,
    "eval_size": None,
}


class DFineNet(Detector):
    """From grey pages to one candidate per query.

    Args:
        config: of which only `long_side` counts.
        num_classes: >= 1.

    Raises:
        ConfigError: transformers is not installed.
    """

    def __init__(self, config: ModelConfig, num_classes: int) -> None:
        super().__init__()
        narrowest = sum(config.long_side // stride * -(-CANVAS_STEP // stride) for stride in _DETECTOR["feat_strides"])
        self.model = _build(_DETECTOR | {"num_labels": num_classes, "num_queries": min(MAX_QUERIES, narrowest)})

    def forward(self, images: Float[Tensor, "batch 1 height width"]) -> Candidates:
        """What each query says; the page is judged by its surest one."""
        out = self.model(pixel_values=images.expand(-1, 3, -1, -1))
        size = torch.tensor([images.shape[3], images.shape[2]] * 2, device=images.device)
        middle, half = out.pred_boxes[..., :2], out.pred_boxes[..., 2:] / 2
        boxes = torch.cat([middle - half, middle + half], -1) * size
        centers = boxes.new_zeros(boxes.shape[1], 2)
        return Candidates(logits=out.logits, boxes=boxes, centers=centers, page_logits=out.logits.amax(1))

    def loss(self, images: Float[Tensor, "batch 1 height width"], objects: Objects) -> Float[Tensor, ""]:
        """The sum of D-FINE's losses over its decoder layers."""
        size = torch.tensor([images.shape[3], images.shape[2]] * 2, device=images.device)
        low, high = (objects.boxes / size).chunk(2, dim=-1)
        boxes = torch.cat([(low + high) / 2, high - low], -1)
        labels = [
            {"class_labels": objects.labels[page][real], "boxes": boxes[page][real]}
            for page, real in enumerate(objects.is_real)
        ]
        total: Tensor = self.model(pixel_values=images.expand(-1, 3, -1, -1), labels=labels).loss
        return total


def _build(settings: dict[str, Any]) -> Any:  # Any: transformers is optional and has no types of its own here
    """The network, with random weights."""
    try:
        from transformers import DFineConfig, DFineForObjectDetection, HGNetV2Config
    except ImportError as error:
        raise ConfigError("preset accurate needs transformers: pip install farthing[documents,accurate]") from error
    backbone = HGNetV2Config(**_BACKBONE)
    return DFineForObjectDetection(DFineConfig(backbone_config=backbone, **settings))
