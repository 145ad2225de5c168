# RUN: graven import %s --input boxes:f32[8,4] --input scores:f32[8] --input image:f32[1,3,9,9] | FileCheck %s
# torchvision's operators.

# CHECK: %[[INDICES:.*]], %[[N:.*]] = graven.nms xyxy %{{.*}} scores %{{.*}} iou %{{.*}} : (tensor<1x8x4xf32>, tensor<1x1x8xf32>, tensor<f32>) -> (tensor<8x3xi64>, tensor<i64>)
# CHECK: %[[BOX:.*]] = graven.slice %[[INDICES]] [0, 2] to [8, 3]
# CHECK: graven.prefix %{{.*}} count %[[N]] axis 0 extent 8
# CHECK: graven.roi_align avg %arg2 rois %{{.*}} batch %{{.*}} output [3, 2] scale 5.000000e-01 sampling_ratio 2 aligned
# CHECK: graven.roi_pool max %arg2 rois %{{.*}} batch %{{.*}} output [3, 2] scale 5.000000e-01
def forward(boxes: Tensor,
    scores: Tensor,
    image: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
  kept = ops.torchvision.nms(boxes, scores, 0.5)
  rois = torch.cat([torch.unsqueeze(scores, 1), boxes], 1)
  aligned = ops.torchvision.roi_align(image, rois, 0.5, 3, 2, 2, True)
  pooled, _ = ops.torchvision.roi_pool(image, rois, 0.5, 3, 2)
  return (kept, aligned, pooled)
