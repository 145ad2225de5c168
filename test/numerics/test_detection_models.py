"""Detection models of torchvision as they are scripted, against PyTorch: as many boxes as the data give, and none.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""
import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import detection
from torchvision.models.detection.backbone_utils import mobilenet_backbone

import graven as package
from saving import saved

SIZE = 160


def keypoint_rcnn():
    backbone = mobilenet_backbone(backbone_name="mobilenet_v3_large", weights=None, fpn=True, norm_layer=nn.BatchNorm2d)
    return detection.KeypointRCNN(
        backbone, num_classes=2,
        keypoint_head=detection.keypoint_rcnn.KeypointRCNNHeads(256, (16,)),
        keypoint_predictor=detection.keypoint_rcnn.KeypointRCNNPredictor(16, 5), min_size=SIZE, max_size=SIZE,
        box_detections_per_img=20, rpn_pre_nms_top_n_test=60, rpn_post_nms_top_n_test=40, box_score_thresh=0.52,
        rpn_anchor_generator=detection.anchor_utils.AnchorGenerator(((32, 64, 128),) * 3, ((0.5, 1.0, 2.0),) * 3))


MODELS = {
    "faster_rcnn": lambda: detection.fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None, weights_backbone=None, num_classes=5, min_size=SIZE, max_size=SIZE, rpn_pre_nms_top_n_test=100,
        rpn_post_nms_top_n_test=50, box_score_thresh=0.215),
    "ssdlite": lambda: detection.ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=4, score_thresh=0.35, detections_per_img=40),
    "keypoint_rcnn": keypoint_rcnn,
}


def scattered(model):
    """Weights and statistics with which scores differ: with those that models begin with, all boxes have one score."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ("cls" in name or "classification" in name) and weight.dim() > 1:
                weight.normal_(0, 0.01)
    model.eval()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    model(list(torch.rand(2, 3, SIZE, SIZE)))
    return model.eval()


@pytest.mark.parametrize("name", MODELS)
def test_model(name):
    torch.manual_seed(3)
    module = scattered(MODELS[name]())
    x = torch.rand(3, SIZE, SIZE)
    scripted = torch.jit.script(module)
    model = package.compile(saved(scripted), opt_level=1, inputs={"images.0": x.numpy()})
    found = []
    for image in (x, x * 0):
        with torch.no_grad():
            want = scripted([image])[1][0]
        boxes, *rest = model(image.numpy())
        names = list(want)
        assert names[0] == "boxes"
        found.append(len(want["boxes"]))
        np.testing.assert_allclose(boxes, want["boxes"].numpy(), atol=1e-4 * SIZE)
        for own, other in zip(rest, names[1:]):
            np.testing.assert_allclose(own, want[other].numpy(), rtol=1e-4)
    assert min(found) == 0 < max(found)
